"""Finds models whose Jinja depends on the target, so that one engine's SQL does not show what another one runs."""

from __future__ import annotations

from collections.abc import Iterator

from dbt_common.clients.jinja import get_environment
from dbt_common.exceptions import DbtBaseException
from jinja2 import TemplateError, meta

from portmesh.state import MeshState

ON_LAPTOPS = "duckdb"


def depends_on_target(state: MeshState) -> Iterator[str]:
    """Labels of models that name `target`, if the state was compiled for DuckDB and production has another engine."""
    engines = {product.name for product in state.mesh.products if product.meta.engine}
    for id_, node in state.mesh.nodes.items():
        ours = state.manifest["nodes"].get(id_) or {}
        if node.kind in ("model", "snapshot") and node.domain in engines and ours.get("adapter_type") == ON_LAPTOPS:
            macros = [state.manifest["macros"].get(each) or {} for each in ours["depends_on"]["macros"]]
            own = [macro["macro_sql"] for macro in macros if macro.get("package_name") == node.domain]
            if any(_names_target(text) for text in (ours["raw_code"], *own)):
                yield node.label


def _names_target(jinja: str) -> bool:
    if "target" not in jinja:
        return False
    try:
        return "target" in meta.find_undeclared_variables(get_environment(None, capture_macros=True).parse(jinja))
    except (TemplateError, DbtBaseException):
        return True
