"""What a person writes of a model.

model: next_order_date
kind: next_order_date
label: {zh-CN: 预计下次购买, en: Next order expected}
event: Order Completed
"""

from __future__ import annotations

from pydantic import Field

from spira.definitions.model import DefinitionModel, Duration, Label, NameStr


class ModelDefinition(DefinitionModel):
    """A model: what makes a score of each profile, of a registered kind, over one event."""

    model: NameStr = Field(description="The name under which conditions read the score.")
    label: Label | None = Field(default=None, description="What people call it.")
    description: Label | None = Field(default=None, description="What it is good for.")
    owner: str = Field(default="", description="Who answers for it.")
    kind: str = Field(description="Which kind of model makes the score.")
    event: str = Field(default="Order Completed", description="The event that it learns from.")
    amount: str = Field(
        default="revenue", description="The property of the event that says how much, for kinds that ask for it."
    )
    refit: Duration = Field(default="7 days", description="How old a fit may grow before it is made anew.")
