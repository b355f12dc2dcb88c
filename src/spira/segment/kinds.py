"""The kinds that this package brings: tag, audience and model. Importing it registers them."""

from __future__ import annotations

from spira.definitions.kinds import Kind, kind
from spira.segment.audiences import AudienceDefinition
from spira.segment.checks import check_audience, check_model, check_tag
from spira.segment.models import next_order_date, rfm  # noqa: F401  (each registers a kind of model)
from spira.segment.models.definition import ModelDefinition
from spira.segment.tags import TagDefinition

TAG = kind(
    Kind(
        name="tag",
        folder="tags",
        model=TagDefinition,
        check=check_tag,
        text_fields=frozenset({"label", "description", "owner", "values"}),
        reserved=frozenset({"new"}),
    )
)
AUDIENCE = kind(
    Kind(
        name="audience",
        folder="audiences",
        model=AudienceDefinition,
        check=check_audience,
        reserved=frozenset({"new", "build", "builder", "compare", "figures", "offers", "preview", "save", "values"}),
    )
)
MODEL = kind(Kind(name="model", folder="models", model=ModelDefinition, check=check_model))
