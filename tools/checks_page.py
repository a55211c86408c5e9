"""Write docs/checks.md from the checks' own YAML: `python -m tools.checks_page`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/checks.md"
GIVEN = ("model", "column_name")
OF_DBT = ("not_null", "unique", "accepted_values", "relationships")
HEAD = """# The shared checks

A check is a data test in a port's YAML. These come with Portmesh and work the same on every engine. A check under a
column tests that column; one under the port's own `data_tests` tests the whole table. `python -m tools.checks_page`
writes this page from `macros/checks/_checks.yml`.

{summary}

The last four are [dbt's own](https://docs.getdbt.com/reference/resource-properties/data-tests). Every other generic
test works too, and counts as accuracy unless its `config.meta.dimension` says otherwise.
"""


def dimension(kind: str) -> str:
    """The dimension of this kind of check, from the gate's own macro."""
    source = (ROOT / "macros/audit/check_dimension.sql").read_text(encoding="utf-8")
    macros: Any = Environment().from_string(source, {"return": lambda found: found}).module
    return str(macros.check_dimension(kind, {})).strip()


def section(check: dict[str, Any]) -> str:
    """The section of one check: its description and its arguments."""
    name = check["name"].removeprefix("test_")
    arguments = [one for one in check["arguments"] if one["name"] not in GIVEN]
    rows = [f"| `{one['name']}` | {one['type']} | {one['description'].strip()} |" for one in arguments]
    table = ["| argument | takes | meaning |", "|---|---|---|", *rows]
    return "\n".join([f"## {name}", check["description"].strip(), "", *table])


def page() -> str:
    macros = yaml.safe_load((ROOT / "macros/checks/_checks.yml").read_text(encoding="utf-8"))["macros"]
    checks = [macro for macro in macros if macro["name"].startswith("test_")]
    names = [check["name"].removeprefix("test_") for check in checks]
    rows = [f"| [{name}](#{name}) | {dimension(name)} |" for name in names]
    rows += [f"| {name} | {dimension(name)} |" for name in OF_DBT]
    summary = "\n".join(["| check | dimension |", "|---|---|", *rows])
    return "\n\n".join([HEAD.format(summary=summary).strip(), *map(section, checks)]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
