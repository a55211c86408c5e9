"""Stand-ins for the names that dbt gives to models, for sqlfluff's jinja templater (`library_path` in `.sqlfluff`).

The names come from dbt itself: what its context of a model has, the macros that it brings along, and the packages that
are installed. sqlfluff's own stand-ins (`apply_dbt_builtins`) have ref, source, this, var and a few more. Each one here
renders its arguments, so that a column used only inside it counts as used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from dbt.context.base import get_context_modules
from dbt.context.providers import ModelContext
from dbt.include.global_project import PACKAGE_PATH
from sqlfluff.core.templaters.builtins.dbt import DBT_BUILTINS


class StandIn:
    """A name of dbt's: `target.name` renders as target_name, `hash(column)` as a call, `type_int()` as a type."""

    # Jinja's sandbox asks for both before it calls an object.
    unsafe_callable = False
    alters_data = False

    def __init__(self, text: str) -> None:
        self._text = text

    def __call__(self, *arguments: object, **named: object) -> StandIn:
        if self._text.startswith("type_"):
            return StandIn("varchar")
        flat = [item for a in (*arguments, *named.values()) for item in (a if isinstance(a, list) else [a])]
        return StandIn(f"{self._text}({', '.join(str(item) for item in flat)})")

    def __getattr__(self, name: str) -> StandIn:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn(f"{self._text}_{name}")

    def __getitem__(self, name: object) -> StandIn:
        return StandIn(f"{self._text}_{name}")

    def __iter__(self) -> Iterator[StandIn]:
        """A loop over it has no round: what it would hold is known to a database alone."""
        return iter(())

    def __str__(self) -> str:
        return self._text


class Package(StandIn):
    """A package of macros: `dbt_utils.star(…)` renders as star(…)."""

    def __getattr__(self, name: str) -> StandIn:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn(name)


class Adapter(StandIn):
    """`adapter.dispatch(macro, package)(…)`: a function call of the macro's name."""

    def dispatch(self, macro: str, package: str = "") -> StandIn:  # noqa: ARG002
        return StandIn(macro)


class Config(StandIn):
    """`config(…)` renders nothing; `config.get(key, default)` the default."""

    def __call__(self, *arguments: object, **named: object) -> str:  # type: ignore[override]  # noqa: ARG002
        return ""

    def get(self, key: str, default: object = None, **_: object) -> object:
        return StandIn(key) if default is None else default


def env_var(name: str, default: str = "") -> str:
    """`env_var(name, default)`: the default, so that no setting of this machine changes what is linted."""
    return default or name


def names_of_dbt() -> set[str]:
    """What dbt gives to every model: its context, and the macros that it brings along."""
    files = Path(PACKAGE_PATH).glob("macros/**/*.sql")
    macros = {name for file in files for name in re.findall(r"{%-?\s*macro\s+(\w+)", file.read_text())}
    return set(ModelContext._context_members_) | macros


def packages() -> set[str]:
    """Names of the packages that `dbt deps` has installed, and of dbt's own."""
    installed = Path(__file__).resolve().parents[2] / "dbt_packages"
    return {"dbt"} | {folder.name for folder in installed.glob("*") if folder.is_dir()}


KNOWN = {
    "adapter": Adapter("adapter"),
    "config": Config("config"),
    "env_var": env_var,
    "execute": True,
    "modules": get_context_modules(),
    "run_started_at": datetime(2026, 1, 1, tzinfo=UTC),
    "zip": zip,
}
_names = {name: StandIn(name) for name in names_of_dbt() - set(DBT_BUILTINS)}
globals().update(_names | {name: Package(name) for name in packages()} | KNOWN)
