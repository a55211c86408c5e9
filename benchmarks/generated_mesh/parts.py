"""The parts of the generated mesh as data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    """A column of a model, and the tests of it as YAML."""

    name: str
    type: str
    tests: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """A model: its name, folder and SQL. `combination` is the key of a model that has no single key column."""

    name: str
    folder: str
    sql: str
    columns: tuple[Column, ...]
    combination: tuple[str, ...] = ()

    @property
    def is_port(self) -> bool:
        return self.folder == "output_ports"

    @property
    def tests(self) -> int:
        return sum(len(column.tests) for column in self.columns) + bool(self.combination)


@dataclass
class Domain:
    """A domain. `readers` has the domains that read each of its ports, by the port's name."""

    number: int
    kind: str
    models: list[Model] = field(default_factory=list)
    readers: dict[str, list[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"domain_{self.number:03}"

    @property
    def ports(self) -> list[Model]:
        return [model for model in self.models if model.is_port]

    @property
    def tests(self) -> int:
        return sum(model.tests for model in self.models)


NOT_NEGATIVE = "accepted_range: {arguments: {min_value: 0}}"
SUBJECT = Column("subject_id", "bigint", ("not_null",))
REGION = Column("region", "string", ("not_null",))
REGION_AS_KEY = Column("region", "string", ("unique", "not_null"))
STATUS = Column("status", "string", ("not_null", "accepted_values: {arguments: {values: [open, paid, closed]}}"))
DAY = Column("day", "date", ("not_null",))
HAPPENED_AT = Column("happened_at", "timestamp", ("not_null",))
LANDED_AT = Column("landed_at", "timestamp")


def key(name: str) -> Column:
    """The key column of a model."""
    return Column(name, "bigint", ("unique", "not_null"))


def measures_of(names: list[str]) -> tuple[Column, ...]:
    """The measures of a port, each with two tests."""
    return tuple(Column(name, "decimal(18,2)", ("not_null", NOT_NEGATIVE)) for name in names)


def lines(template: str, names: list[str]) -> str:
    """A line of a select list for each name, in which `%` is the name."""
    return "".join(f"\n        {template.replace('%', name)}," for name in names)


def ref(*names: str) -> str:
    """How a model refers to another: by its name, or by domain and port."""
    return "{{ ref(" + ", ".join(f"'{name}'" for name in names) + ") }}"
