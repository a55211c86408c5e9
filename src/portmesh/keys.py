"""Portmesh's own keys in a domain's YAML: `config.meta` of ports, columns, checks, products and sources.

The one list of them. `python -m tools.schema` writes from it the JSON Schema for editors (`schemas/`) and the names
that the rules know (`macros/rules/lookup/known_keys.sql`). Reading is lenient: the rules say what must be there.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

PERIODS = ("minute", "hour", "day")
_VERSION: JsonDict = {"pattern": r"^\d+\.\d+\.\d+$"}
CLASSIFICATIONS = ("public", "internal", "confidential", "restricted")
KINDS = ("source-aligned", "aggregate", "consumer-aligned")
STAGES = ("proposed", "active", "deprecated", "retired")
ENGINES = ("emr", "athena")
STARTS = ("inputs",)
DIMENSIONS = ("accuracy", "completeness", "timeliness", "uniqueness")
EXEMPTIBLE_RULES = (
    *("PM101", "PM102", "PM103", "PM106", "PM113", "PM114", "PM121"),
    *("PM202", "PM205", "PM207", "PM210", "PM211"),
)
"""Rules about a domain's own product. The rules that protect other domains cannot be exempted."""


def _one_of(allowed: tuple[str, ...], description: str, default: Any = "") -> Any:
    """A text that an editor offers these values for."""
    return Field(default, description=description, json_schema_extra={"enum": list(allowed)})


class Period(BaseModel):
    """`{count: 8, period: day}`."""

    count: int | float = Field(description="The number of periods, above 0.", json_schema_extra={"exclusiveMinimum": 0})
    period: str = _one_of(PERIODS, "minute, hour or day.", ...)

    def __str__(self) -> str:
        return f"{self.count} {self.period}{'' if self.count == 1 else 's'}"


class Freshness(BaseModel):
    """How old the newest row of a port may get."""

    column: str = Field(description="A timestamp of the contract, UTC.")
    warn_after: Period | None = None
    error_after: Period | None = None


class Subject(BaseModel):
    """Who the rows of a port are about, and the column that identifies them."""

    entity: str = Field(description="Who the rows are about, such as customer.")
    key: str = Field(description="The column of the contract that identifies them.")


class Consumer(BaseModel):
    """Who may read a port, for what purpose, and until when."""

    name: str = Field(description="A domain, or an exposure outside the mesh.")
    purpose: str = Field("", description="What the consumer reads the port for.")
    until: date | None = Field(None, description="The last day of access, UTC.")


class Agreement(BaseModel):
    """A breaking change that every listed consumer agreed to."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    from_: str = Field(alias="from", description="The contract version that consumers read now.")
    with_: list[str] = Field(alias="with", description="All consumers of the port.")
    reason: str


class ConsumerAgreement(BaseModel):
    """What a consumer agrees to: a version of a port of another domain that breaks it, who agreed, and when."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    port: str = Field(description="The port, such as orders.order_lines or orders.order_lines.v1.")
    version: str = Field(description="The contract version that it agrees to.", json_schema_extra=_VERSION)
    by: str = Field(description="Who agreed, for the consumer.")
    date_: date = Field(alias="date", description="The day, UTC.")
    note: str = Field("", description="What the consumer does about it.")


class Exemption(BaseModel):
    """Permission to break a rule until a date."""

    rule: Annotated[str, Field(json_schema_extra={"pattern": r"^PM\d{3}$"})]
    reason: str
    until: date


class PortMeta(BaseModel):
    """`config.meta` of a port."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    version: str = Field(
        "",
        description="The contract's version: major.minor.patch.",
        json_schema_extra=_VERSION,
    )
    classification: str = _one_of(CLASSIFICATIONS, "How sensitive the port's data is.")
    subject: Subject | None = None
    freshness: Freshness | None = None
    consumers: list[Consumer] = []
    keep_versions: int = Field(2, description="The number of published versions to keep.", ge=1)
    agreements: list[Agreement] = []
    starts_from: int | str | None = Field(None, description="Another version of the port, or its old name.")
    model: dict[str, Any] | None = Field(None, description="The model of a port that is written in YAML alone.")
    rows_from: list[str] | None = Field(
        None, description="In Python: the columns that decide which rows there are, such as orders.baskets.week."
    )
    exemptions: list[Exemption] = []

    def of(self, name: str) -> list[Consumer]:
        """The entries of one consumer, which may have several purposes."""
        return [consumer for consumer in self.consumers if consumer.name == name]


class ColumnMeta(BaseModel):
    """`config.meta` of a port's column."""

    level: str = _one_of(CLASSIFICATIONS, "How sensitive the column is, if not as the port's classification says.")
    computed_from: list[str] | None = Field(
        None, description="In Python: the columns that it is computed from, such as orders.baskets.sales_value."
    )


class CheckMeta(BaseModel):
    """`config.meta` of a check."""

    dimension: str = _one_of(DIMENSIONS, "What the check measures, if not what its type suggests.")
    row_wise: bool = Field(False, description="Your own check looks at each row separately.")
    exemptions: list[Exemption] = []


class ProductMeta(BaseModel):
    """`config.meta` of a product's group."""

    kind: str = _one_of(KINDS, "The kind of product.")
    stage: str = _one_of(STAGES, "Where the product is in its life.")
    engine: str = _one_of(ENGINES, "Where the domain is built in production.")
    purpose: str = Field("", description="What the product is for.")
    channel: str = Field("", description="Where to ask the team, such as #data-orders.")
    schedule: str = Field("", description="When the product is built, as cron in UTC: 0 6 * * *.")
    starts_on: str = _one_of(STARTS, "inputs: build the product when a port that it reads has a new version.")
    timeout: str = Field("", description="How long a run may take: 30min, 2h.")
    late_after: str = Field("", description="How long a run may take until its owner is told: 30min, 2h.")
    retries: int | None = Field(None, description="How often a run that broke goes on by itself.", ge=0)
    upkeep: str = Field("", description="When the product's upkeep runs, as cron in UTC: 0 3 * * 0.")
    agreements: list[ConsumerAgreement] = Field([], description="Breaking changes of other ports that it agrees to.")
    exemptions: list[Exemption] = []


class ExposureMeta(BaseModel):
    """`config.meta` of an exposure. It may have other keys."""

    model_config = ConfigDict(extra="allow")

    agreements: list[ConsumerAgreement] = Field([], description="Breaking changes of ports that it agrees to.")


class Owner(BaseModel):
    """`owner` of a product's group."""

    name: str = ""
    email: str | list[str] = ""
    github: str = Field("", description="The team's handle in CODEOWNERS, such as @example/orders-data.")


class SourceMeta(BaseModel):
    """`config.meta` of a source or of one of its tables."""

    classification: str = _one_of(CLASSIFICATIONS, "How sensitive the data is. `portmesh sample` masks by it.")
    external_location: str = Field("", description="What DuckDB reads in place of the table, on the laptop and in CI.")
    formatter: Literal["newstyle", "oldstyle", "template"] | None = None
    landing: dict[str, Any] | None = Field(None, description="How the source's files come, and how they are read.")
    exemptions: list[Exemption] = []


class SourceColumnMeta(BaseModel):
    """`config.meta` of a source table's column."""

    level: str = _one_of(CLASSIFICATIONS, "How sensitive the column is, if not as the table's classification says.")
    from_: str = Field("", alias="from", description="The column's name in the files, if it is another one.")
