"""How the rows of a port differ between production and an environment: the facts, without their presentation."""

from __future__ import annotations

from pydantic import BaseModel


class Example(BaseModel):
    """A row that differs. `key` has the key's values as texts, `before` and `now` a column's; None is null.

    A hidden column's place in `key` is None, too: the engine was not asked for its values.
    """

    key: list[str | None]
    before: str | None = None
    now: str | None = None


class ColumnRows(BaseModel):
    """A column that both sides have. `hidden` is the level for which its values are not shown, or empty.

    `as_text`: the two types have no common values, so the texts of the values were compared.
    """

    name: str
    type_before: str
    type_now: str
    differ: int | None = None
    as_text: bool = False
    hidden: str = ""
    examples: list[Example] = []


class PortRows(BaseModel):
    """The comparison of one port.

    `state` is `compared`, `not published`, `not built`, or `no common column`. `key` pairs the rows; without one, whole
    rows are counted, and `changed` is None. `is_key_unique` is false if the key pairs some rows with several others, so
    that nothing but the rows of each side is known. `hidden_key` has the key's columns whose values are not shown.
    """

    port: str
    state: str
    key: list[str] = []
    hidden_key: list[str] = []
    is_key_unique: bool = True
    rows_before: int = 0
    rows_now: int = 0
    gone: int = 0
    added: int = 0
    changed: int | None = None
    columns: list[ColumnRows] = []
    only_before: list[str] = []
    only_now: list[str] = []
    examples_gone: list[Example] = []
    examples_added: list[Example] = []

    @property
    def is_same(self) -> bool:
        """Whether both sides have the same rows in the same columns."""
        same_rows = self.is_key_unique and not (self.gone or self.added or self.changed)
        return self.state == "compared" and same_rows and not (self.only_before or self.only_now)


class Rows(BaseModel):
    """The comparison of all ports that were asked for. `environment` is what `now` is about."""

    target: str
    environment: str
    tolerance: float = 0
    ports: list[PortRows]
