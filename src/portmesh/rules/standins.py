"""What Jinja meets in place of dbt's own objects when it is rendered without dbt: unknown values and relations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

UNKNOWN = "__unknown__"
"""What an unknown value is in SQL: a name that no table has."""

HIDDEN = ("_", "jinja_")
"""How names begin that Python and Jinja ask any object for, and that Jinja's sandbox lets no template ask for."""


class Unknown:
    """A value that only dbt or the database knows. It is true or false as the rendering says, and a list of one."""

    unsafe_callable = alters_data = False
    """Jinja's sandbox asks for these before it calls an object."""

    def __init__(self, truth: bool) -> None:
        self._truth = truth

    def __bool__(self) -> bool:
        return self._truth

    def __str__(self) -> str:
        return UNKNOWN

    def __iter__(self) -> Iterator[Unknown]:
        yield Unknown(self._truth)

    def __len__(self) -> int:
        return 1

    def __contains__(self, _: object) -> bool:
        return self._truth

    def __eq__(self, _: object) -> bool:
        return self._truth

    def __ne__(self, _: object) -> bool:
        return not self._truth

    def __hash__(self) -> int:
        return hash(UNKNOWN)

    def __getattr__(self, name: str) -> Unknown:
        if name.startswith(HIDDEN):
            raise AttributeError(name)
        return Unknown(self._truth)

    def _same(self, *_: object, **__: object) -> Unknown:
        return Unknown(self._truth)

    def _compared(self, _: object) -> bool:
        return self._truth

    __call__ = __getitem__ = _same
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __truediv__ = __floordiv__ = _same
    __lt__ = __le__ = __gt__ = __ge__ = _compared


@dataclass(frozen=True)
class Relation:
    """A table by its name, as `ref()`, `this` and `api.Relation.create()` return it."""

    database: str = ""
    schema: str = ""
    identifier: str = ""
    rendered: str = ""

    @property
    def name(self) -> str:
        return self.identifier

    @property
    def table(self) -> str:
        return self.identifier

    def incorporate(self, path: Mapping[str, Any] | None = None, **_: object) -> Relation:
        return replace(self, rendered="", **{key: str(value) for key, value in (path or {}).items()})

    def include(self, *_: object, **__: object) -> Relation:
        return self

    quote = include

    def render(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return self.rendered or ".".join(f'"{part}"' for part in (self.database, self.schema, self.identifier) if part)


class Members:
    """An object whose attributes are these values; any other is found by `other`."""

    unsafe_callable = alters_data = False

    def __init__(self, members: Mapping[str, Any], other: Callable[[str], Any]) -> None:
        self._members = members
        self._other = other

    def __getattr__(self, name: str) -> Any:
        if name.startswith(HIDDEN):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Any:
        return self._members[name] if name in self._members else self._other(name)

    def get(self, name: str, default: Any = None) -> Any:
        return self._members.get(name, default)
