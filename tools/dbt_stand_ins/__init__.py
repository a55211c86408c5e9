"""Names that dbt gives to models and sqlfluff's jinja templater lacks (`library_path` in `.sqlfluff`).

sqlfluff's own stand-ins (`apply_dbt_builtins`) have ref, source, this, config, var and is_incremental. Each one
here renders its arguments, so that a column used only inside it counts as used.
"""

from __future__ import annotations

from collections.abc import Callable


class CrossDatabaseMacros:
    """`dbt.<macro>(…)`: a type name for `dbt.type_*()`, else a function call of the macro's name."""

    def __getattr__(self, name: str) -> Callable[..., str]:
        return lambda *arguments: "varchar" if name.startswith("type_") else _call(name, *arguments)


class Adapter:
    """`adapter.dispatch(macro, package)(…)`: a function call of the macro's name."""

    def dispatch(self, macro: str, package: str = "") -> Callable[..., str]:  # noqa: ARG002
        return lambda *arguments: _call(macro, *arguments)


def env_var(name: str, default: str = "") -> str:
    """`env_var(name, default)`: the default, so that no setting of this machine changes what is linted."""
    return default or name


def _call(name: str, *arguments: object) -> str:
    flat = [item for a in arguments for item in (a if isinstance(a, list) else [a])]
    return f"{name}({', '.join(str(item) for item in flat)})"


dbt = CrossDatabaseMacros()
adapter = Adapter()
