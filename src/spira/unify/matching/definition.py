"""The kind `matching`: whether and how people whom no identifier joins are recognised as one, in a workspace's words.

matching: people
columns: {name: full_name, birthday: birth_date, phone: phone, city: text}
compare: {city: exact}
join: 0.99
review: 0.5

Without such a file nothing is matched. The first line alone is enough: what it leaves out is as it is built in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field, field_validator, model_validator

from spira.definitions.kinds import Definition, Kind, World, kind
from spira.definitions.model import DefinitionModel, Duration, Label, NameStr, fault
from spira.kernel.diagnostics import Diagnostic, did_you_mean
from spira.unify.matching.columns import COLUMN_KINDS

Comparing = Literal["usual", "exact"]
Reviewers = Literal["one", "sensitive", "two"]
# Kinds of which a person has one value: of several traits the first that was told counts.
ONE_VALUE = frozenset(
    {"given_name", "family_name", "full_name", "birth_date", "phone", "email", "id_number", "address"}
)
KINDS = tuple(each for each in COLUMN_KINDS if each not in ("source", "ignore"))
# What people are compared by unless a workspace says otherwise: traits as calls and imports name them.
USUAL: Mapping[str, str] = {
    **dict.fromkeys(("name", "full_name", "fullName", "姓名"), "full_name"),
    **dict.fromkeys(("first_name", "firstName", "given_name"), "given_name"),
    **dict.fromkeys(("last_name", "lastName", "family_name"), "family_name"),
    **dict.fromkeys(("birthday", "birth_date", "date_of_birth", "生日"), "birth_date"),
    "phone": "phone",
    "email": "email",
    **dict.fromkeys(("address", "street", "地址"), "address"),
    **dict.fromkeys(("postcode", "postal_code", "zip"), "postcode"),
    **dict.fromkeys(("city", "城市"), "text"),
}


class MatchingDefinition(DefinitionModel):
    """How probable matches are found, and what becomes of them."""

    matching: NameStr = Field(description="The name of the model; links that it makes carry it.")
    label: Label | None = Field(default=None, description="What staff read.")
    description: str = Field(default="", description="What it is for, in a sentence.")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Which traits (or kinds of identifiers) are compared, and as what: full_name, birth_date, phone…",
    )
    compare: dict[str, Comparing] = Field(
        default_factory=dict,
        description="Of a column `exact` lets only equal values count, `usual` nearly equal ones too.",
    )
    block: list[list[str]] = Field(
        default_factory=list,
        description="Pairs are looked at that agree in all columns of one of these lists. Without: chosen by the data.",
    )
    join: float | Literal["never"] = Field(
        default=0.99, description="The probability from which two are joined without being asked, or `never`."
    )
    review: float = Field(default=0.5, description="The probability from which staff are asked.")
    reviewers: Reviewers = Field(
        default="sensitive",
        description="How many must agree: `one`, `two`, or two where either has an identity card or sensitive consent.",
    )
    every: Duration = Field(default="1 hour", description="How often new and changed people are matched, at most.")
    learn: Duration = Field(default="30 days", description="How often the model is learned anew, with everybody.")
    paused: bool = Field(default=False, description="Whether it waits until somebody asks for a run.")

    @field_validator("columns")
    @classmethod
    def _kinds_there_are(cls, columns: dict[str, str]) -> dict[str, str]:
        for name, said in columns.items():
            if said not in KINDS:
                help = did_you_mean(said, KINDS) or f"the kinds are {', '.join(KINDS)}"
                raise fault("D471", f"`{said}` is no kind of column", help=help, key=name)
        if columns and not set(columns.values()) - {"category"}:
            raise fault("D471", "nothing here says who a person is", help="add a name, a date of birth or an address")
        return columns

    @field_validator("join", "review")
    @classmethod
    def _is_a_probability(cls, share: float | str) -> float | str:
        if isinstance(share, float) and not 0.01 <= share <= 0.999999:
            raise fault("D472", f"`{share:g}` is no probability to decide by", help="write a number such as 0.99")
        return share

    @model_validator(mode="after")
    def _in_order(self) -> MatchingDefinition:
        if isinstance(self.join, float) and self.review > self.join:
            raise fault(
                "D472",
                f"people would be joined from {self.join:g} on and staff be asked from {self.review:g} on",
                help="let `review` be at most what `join` is",
                key="review",
            )
        return self

    @property
    def compared(self) -> Mapping[str, str]:
        """Each trait that is compared, and as what."""
        return self.columns or USUAL


def columns_of(compared: Mapping[str, str]) -> list[tuple[str, str, tuple[str, ...]]]:
    """The columns of a record: its name, its kind, and the traits that it is taken from, the first that was told."""
    made: dict[str, tuple[str, str, tuple[str, ...]]] = {}
    for trait, said in compared.items():
        key = said if said in ONE_VALUE else trait
        name, _, traits = made.get(key, (trait, said, ()))
        made[key] = (name, said, (*traits, trait))
    return list(made.values())


def check(definition: Definition, world: World) -> Iterable[Diagnostic]:
    """What a file alone can't see: names of columns that are none, and that there is one model."""
    model: MatchingDefinition = definition.model
    for field, places in (
        ("compare", [((name,), name) for name in model.compare]),
        ("block", [((at, n), name) for at, names in enumerate(model.block) for n, name in enumerate(names)]),
    ):
        for path, name in places:
            if name not in model.compared:
                at = definition.node.key_at(field, *path) if field == "compare" else definition.node.at(field, *path)
                known = did_you_mean(name, model.compared) or f"the columns are {', '.join(model.compared)}"
                yield Diagnostic(code="D473", message=f"there is no column `{name}`", at=at, help=known)
    others = [each for each in world.of("matching") if each.name < definition.name]
    if others:
        yield Diagnostic(
            code="D474",
            message=f"there is a model already: `{others[0].name}`",
            at=definition.node.at("matching"),
            help="a workspace matches its people by one model: bring the two files together",
        )


MATCHING = kind(Kind(name="matching", folder="matching", model=MatchingDefinition, check=check))
