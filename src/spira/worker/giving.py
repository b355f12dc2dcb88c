"""Giving: a thread beside the worker that tells destinations who came into their audiences and who left.

Reads   `destinations/*.yaml`, and what `engage.destinations` reads
Writes  `destination_rows`, `destination_people`, `destination_states`, `destination_runs`, `destination_batches`,
        the list of exports, the world

A run is worked out on a lane of its own and laid out in the warehouse, then given batch by batch through a child,
and what was taken is remembered at its end. Killed anywhere it goes on with the batch that was in hand, whose id is
the same. A destination that does not answer is tried again by and by, and keeps no other one waiting, nor a turn.
With a manual clock only what somebody asked for is given.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from spira.definitions.apply import Applied
from spira.engage.destinations import choosing, kept
from spira.engage.destinations.base import Batch, Taken, open_destination
from spira.engage.destinations.choosing import Lot, Planned
from spira.engage.destinations.definition import DestinationDefinition, placed
from spira.engage.destinations.job import GiveTask, give
from spira.engage.destinations.kept import Run, Sent, Standing
from spira.engage.reach import rules_of
from spira.kernel.clock import Clock
from spira.kernel.durations import parse_duration
from spira.kernel.errors import Conflict, NotFound, Retryable, SpiraError
from spira.kernel.ids import new_id
from spira.kernel.jobs import JobRunner
from spira.kernel.settings import Settings
from spira.storage.state import State
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify import exports, recipients
from spira.worker.beside import Looking
from spira.worker.clock import ManualClock
from spira.worker.importing import told

LOOK_SECONDS = 2.0
PAUSE_SECONDS = 30.0
OLD = timedelta(hours=6)  # a run that waited so long is ended, and what is left worked out anew
WHAT = "destination"
_log = logging.getLogger("spira.destinations")


class Giver(Protocol):
    """What giving needs of the core."""

    settings: Settings

    @property
    def directory(self) -> Path: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def state(self) -> State: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def applied(self) -> Applied: ...
    @property
    def worker_lane(self) -> Warehouse: ...

    def lane(self) -> Warehouse: ...
    def exclusive(self) -> AbstractContextManager[Any]: ...


class Giving(Looking):
    """The thread. `stop` waits for the batch in hand."""

    look_seconds, pause_seconds = LOOK_SECONDS, PAUSE_SECONDS

    def __init__(self, core: Giver, *, runner: JobRunner | None = None) -> None:
        super().__init__("destinations", runner=runner)
        self._core = core
        self._seen: Applied | None = None

    def look(self) -> int:
        """Give what is due now; how many batches were taken."""
        core, done = self._core, 0
        models: list[DestinationDefinition] = core.applied.of("destination")
        if self._seen is not core.applied:
            self._forget({each.destination for each in models})
        for model in models:
            if self._stopping.is_set():
                break
            try:
                done += self._one(model)
            except SpiraError:
                raise
            except Exception as wrong:  # a fault in Spira or in a plug-in keeps no other destination waiting
                _log.exception("giving to `%s` failed; this is a fault in Spira", model.destination)
                self._stumbled(model, f"a fault in Spira ({type(wrong).__name__}); its log says more")
        return done

    def _failed(self, fault: Exception) -> None:
        if isinstance(fault, SpiraError):
            _log.warning("destinations: %s; trying again", fault)
        else:
            _log.exception("giving to destinations failed; this is a fault in Spira")

    def _forget(self, names: set[str]) -> None:
        """Whom destinations were given that are taken out of the files is known no longer."""
        core = self._core
        with core.exclusive():
            choosing.forget_others(core.worker_lane, names)
        self._seen = core.applied

    def _stumbled(self, model: DestinationDefinition, fault: str) -> None:
        """What can't go on is tried again by and by, as where a place does not answer."""
        core, now = self._core, self._core.clock.now()
        run = kept.open_run(core.state, model.destination)
        if run is not None:
            self._put_off(run, fault)
            return
        stands = kept.standing(core.state, model.destination)
        following = now + parse_duration(model.every)
        kept.looked(core.state, model.destination, heard=stands.asked, at=now, next_at=following, fault=fault)

    def _one(self, model: DestinationDefinition) -> int:
        core, now = self._core, self._core.clock.now()
        stands = kept.standing(core.state, model.destination)  # as it is now: the one before may have taken long
        if stands.started_at is None:
            return 0
        run = kept.open_run(core.state, model.destination)
        if run is not None and (run.print != model.print or now - run.begun_at > OLD):
            self._end(run, "its definition was changed" if run.print != model.print else "it had waited too long")
            run = None
        if not stands.gives(model.print, paused=model.paused):
            return 0
        if run is None:
            run = self._begin(model, stands, now) if self._due(stands, now) else None
        if run is None or (run.due_at is not None and run.due_at > now):
            return 0
        return self._give(model, run)

    def _due(self, stands: Standing, now: datetime) -> bool:
        if stands.asked:
            return True
        return not isinstance(self._core.clock, ManualClock) and (stands.next_at is None or stands.next_at <= now)

    def _begin(self, model: DestinationDefinition, stands: Standing, now: datetime) -> Run | None:
        """Work out what there is to tell; None when there is nothing, or too much."""
        core = self._core
        following = now + parse_duration(model.every)
        everyone = stands.asked == "everyone"
        planned = choosing.difference(core.lane(), model, rules_of(core.settings, core.clock.now()), everyone=everyone)
        people, fault = planned.given, None
        if model.has_contacts and len(people) > stands.most:
            fault = (
                f"{len(people):,} people would leave with contact values; it was started for {stands.most:,} at once"
            )
        run = None
        if fault is None and planned.rows.num_rows:
            try:
                run = self._lay_out(model, stands, planned, people, everyone=everyone, at=now)
            except (Conflict, NotFound) as wrong:  # more than may go abroad, or to nobody in the record
                fault = told(wrong)
        kept.looked(core.state, model.destination, heard=stands.asked, at=now, next_at=following, fault=fault)
        return run

    def _lay_out(
        self,
        model: DestinationDefinition,
        stands: Standing,
        planned: Planned,
        people: list[int],
        *,
        everyone: bool,
        at: datetime,
    ) -> Run:
        """Make a run durable: its rows first, so that a run that is known of can always be given."""
        core = self._core
        run_id, size = new_id("run"), _size(model)
        with core.exclusive():
            choosing.lay_out(core.worker_lane, model.destination, run_id, planned, size=size)
        mark = ""
        if people:
            mark = exports.record(
                core.state,
                core.lane(),
                core.clock,
                zone=core.settings.workspace.zone,
                actor=stands.started_by,
                what=WHAT,
                profiles=people,
                in_clear=model.has_contacts,
                reason=f"{model.destination}: {stands.reason}",
                to=recipients.get(core.settings.rights, model.recipient) if model.recipient else None,
                rights=core.settings.rights,
            )
        run = Run(
            run_id=run_id,
            destination=model.destination,
            print=model.print,
            begun_at=at,
            ended_at=None,
            status="running",
            everyone=everyone,
            added=planned.added,
            changed=planned.changed,
            removed=planned.removed,
            taken=0,
            refused=0,
            withheld=0,
            batches=-(-planned.rows.num_rows // size),
            done=0,
            tries=0,
            due_at=None,
            mark=mark,
            fault=None,
        )
        kept.begin(core.state, run)
        return run

    def _give(self, model: DestinationDefinition, run: Run) -> int:
        """A run from the batch it has come to; how many batches were taken now."""
        core, began = self._core, run.done
        try:
            for number in range(run.done, run.batches):
                stands = kept.standing(core.state, model.destination)
                if self._stopping.is_set() or stands.paused or stands.print != run.print:
                    return number - began
                run = self._hand(model, run, number)
        except Retryable as wrong:
            _log.warning("destination `%s`: %s", model.destination, told(wrong))
            self._put_off(run, told(wrong))
        except SpiraError as wrong:
            _log.warning("destination `%s`: %s", model.destination, told(wrong))
            self._end(run, told(wrong))
        else:
            self._end(run, None)
        return run.done - began

    def _hand(self, model: DestinationDefinition, run: Run, number: int) -> Run:
        """One batch: who may not leave any more is kept back, the others are given, and that is written down."""
        core = self._core
        rules = rules_of(core.settings, core.clock.now())
        lot = choosing.lot(core.lane(), core.vault, model, rules, run_id=run.run_id, number=number)
        if lot.withheld:
            with core.exclusive():
                choosing.withhold(core.worker_lane, run.run_id, lot.withheld)
        taken = Taken(taken=0)
        if lot.people:
            options = placed(model.options, core.directory)
            task = GiveTask(kind=model.kind, options=options, batch=_batch(model, run, lot, number))
            taken = self._child().run(give, task)
        sent = Sent(
            number=number,
            at=core.clock.now(),
            tries=run.tries + 1,
            taken=taken.taken,
            refused=len(taken.refused),
            withheld=len(lot.withheld),
            said="; ".join(dict.fromkeys(each.reason for each in taken.refused))[: kept.LONGEST],
        )
        return kept.advance(core.state, run, sent)

    def _put_off(self, run: Run, fault: str) -> None:
        run = kept.put_off(self._core.state, run, at=self._core.clock.now(), fault=fault)
        if run.tries >= kept.GIVE_UP:
            self._end(run, fault)

    def _end(self, run: Run, fault: str | None) -> None:
        """Remember whom the destination has, then that the run is over: killed between, both are done again."""
        core, at = self._core, self._core.clock.now()
        with core.exclusive():
            choosing.fold(core.worker_lane, run.destination, run.run_id, done=run.done, at=at)
        kept.end(core.state, run, at=at, fault=fault)


def _size(model: DestinationDefinition) -> int:
    """How many people go into a batch: as its options say, else as its kind has it."""
    opened = open_destination(model.kind, model.options)
    return int(getattr(opened, "batch", opened.size))


def _batch(model: DestinationDefinition, run: Run, lot: Lot, number: int) -> Batch:
    return Batch(
        batch_id=f"{run.run_id}-{number + 1:05}",
        run_id=run.run_id,
        destination=model.destination,
        audience=model.audience,
        number=number,
        batches=run.batches,
        everyone=run.everyone,
        at=run.begun_at,
        mark=run.mark,
        fields=list(model.fields),
        people=list(lot.people),
    )
