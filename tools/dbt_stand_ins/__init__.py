"""Stand-ins for dbt's Jinja names, for sqlfluff's jinja templater (`library_path` in `.sqlfluff`).

The names come from dbt: its context for models, its own macros, and the installed packages. sqlfluff's own stand-ins
(`apply_dbt_builtins`) only cover ref, source, this, var and a few more. Each stand-in renders its arguments, so that a
column that is used only inside it counts as used.
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
    """A dbt name: `target.name` renders as target_name, `hash(column)` as a call, `type_int()` as a type."""

    # Jinja's sandbox reads both attributes before it calls an object.
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
        """A loop over it is empty, because only a database knows its values."""
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
    """`adapter.dispatch(macro, package)(…)` renders as a call of a function with the macro's name."""

    def dispatch(self, macro: str, package: str = "") -> StandIn:  # noqa: ARG002
        return StandIn(macro)


class Config(StandIn):
    """`config(…)` renders nothing; `config.get(key, default)` renders the default."""

    def __call__(self, *arguments: object, **named: object) -> str:  # type: ignore[override]  # noqa: ARG002
        return ""

    def get(self, key: str, default: object = None, **_: object) -> object:
        return StandIn(key) if default is None else default


class OwnMacros(StandIn):
    """The mesh's macros, when one of them calls another: `portmesh.chosen_batches()` renders nothing."""

    def __getattr__(self, name: str) -> StandIn:
        if name.startswith("__"):
            raise AttributeError(name)
        return Config(name)


def env_var(name: str, default: str = "") -> str:
    """`env_var(name, default)` renders the default, so that this machine's settings do not affect the lint."""
    return default or name


def names_of_dbt() -> set[str]:
    """The names that dbt provides to every model: its context and its own macros."""
    files = Path(PACKAGE_PATH).glob("macros/**/*.sql")
    macros = {name for file in files for name in re.findall(r"{%-?\s*macro\s+(\w+)", file.read_text())}
    return set(ModelContext._context_members_) | macros


def packages() -> set[str]:
    """The names of the installed packages, and of dbt's own package."""
    installed = Path(__file__).resolve().parents[2] / "dbt_packages"
    return {"dbt"} | {folder.name for folder in installed.glob("*") if folder.is_dir()}


KNOWN = {
    "adapter": Adapter("adapter"),
    "config": Config("config"),
    "env_var": env_var,
    "execute": True,
    "modules": get_context_modules(),
    "portmesh": OwnMacros("portmesh"),
    "run_started_at": datetime(2026, 1, 1, tzinfo=UTC),
    "zip": zip,
}
_names = {name: StandIn(name) for name in names_of_dbt() - set(DBT_BUILTINS)}
globals().update(_names | {name: Package(name) for name in packages()} | KNOWN)
