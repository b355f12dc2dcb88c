"""Everything that registers itself at import: tables, kinds, jobs, channels, models; then the installed plug-ins."""

import spira.collect.connectors.builtin
import spira.collect.decode
import spira.collect.hooks.calls
import spira.collect.hooks.definition
import spira.collect.identifier_rules
import spira.collect.imports.definition
import spira.collect.imports.jobs
import spira.collect.imports.tables
import spira.collect.links
import spira.collect.mapping.model
import spira.collect.sources
import spira.collect.tables
import spira.collect.tracking
import spira.definitions.apply
import spira.engage.alerts.finding
import spira.engage.channels.definition
import spira.engage.channels.email
import spira.engage.channels.webhook
import spira.engage.delivery.dispatch
import spira.engage.destinations.definition
import spira.engage.destinations.job
import spira.engage.destinations.tables
import spira.engage.journeys.definition
import spira.engage.messages
import spira.engage.tables
import spira.measure.metrics.definition
import spira.measure.tables
import spira.segment.kinds
import spira.segment.tables
import spira.storage.audit
import spira.storage.backup
import spira.storage.vault
import spira.unify.assessments
import spira.unify.decisions
import spira.unify.erase
import spira.unify.exports
import spira.unify.incidents
import spira.unify.matching.definition
import spira.unify.matching.job
import spira.unify.notices
import spira.unify.restrictions
import spira.unify.rights
import spira.unify.tables
import spira.worker.clock
import spira.worker.probe  # noqa: F401
from spira.worker.plugins import load_plugins

load_plugins()
