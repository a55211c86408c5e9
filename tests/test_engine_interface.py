"""Each engine implements macros/engines/interface.sql in its own folder, and calls no macro of the audit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.mesh import REPOSITORY, Mesh

MACROS = REPOSITORY / "macros"
FOLDERS = {"duckdb": ["duckdb"], "spark": ["spark", "iceberg"], "athena": ["athena", "iceberg"]}


def defined_in(folder: Path) -> set[str]:
    texts = [path.read_text() for path in folder.rglob("*.sql")]
    return {name for text in texts for name in re.findall(r"\{%-? *macro (\w+)\(", text)}


def asked_for(*folders: Path) -> set[str]:
    texts = [path.read_text() for folder in folders for path in folder.rglob("*.sql")]
    return {name for text in texts for name in re.findall(r"engine_macro\('(\w+)'\)", text)}


@pytest.mark.parametrize("engine", FOLDERS)
def test_an_engine_is_complete(engine: str) -> None:
    everywhere = asked_for_by_interface()
    of_iceberg = asked_for(MACROS / "engines" / "iceberg", MACROS / "upkeep") if engine != "duckdb" else set()
    given = {
        name.split("__", 1)[1]
        for folder in FOLDERS[engine]
        for name in defined_in(MACROS / "engines" / folder)
        if name.startswith(f"{folder}__")
    }
    wanted = everywhere | of_iceberg
    assert len(wanted) > 30
    assert sorted(wanted - given) == []


def asked_for_by_interface() -> set[str]:
    return set(re.findall(r"engine_macro\('(\w+)'\)", (MACROS / "engines" / "interface.sql").read_text()))


def test_no_engine_calls_the_audit() -> None:
    audit = defined_in(MACROS / "audit")
    assert len(audit) > 30
    callers = {
        (path.relative_to(MACROS).as_posix(), name)
        for path in (MACROS / "engines").rglob("*.sql")
        for name in re.findall(r"portmesh\.(\w+)", path.read_text())
        if name in audit
    }
    assert callers == set()


def test_a_macro_that_an_engine_lacks_is_an_error(mesh: Mesh) -> None:
    mesh.set_up("shop", root={"macro-paths": ["macros", "probe"]})
    mesh.write("probe/probe.sql", "{% macro probe(name) %}{% do portmesh.engine_macro(name)() %}{% endmacro %}")
    assert mesh.dbt("deps").ok
    missing = mesh.dbt("run-operation", "probe", "--args", "{name: fly}")
    assert not missing.ok
    assert "The engine duckdb has no macro fly." in missing.output
    assert "add duckdb__fly to macros/engines/duckdb/" in missing.output
    assert mesh.dbt("run-operation", "probe", "--args", "{name: existing_schemas}").ok
