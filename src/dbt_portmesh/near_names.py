"""Makes dbt name what is probably meant, if a `ref`, a `source` or a data test names nothing.

dbt would find out about a data test only when it runs it, and then name the macro that is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import wraps
from typing import Any

from dbt.artifacts.resources.types import AccessType
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import GenericTestNode
from dbt.exceptions import TargetNotFoundError
from dbt.parser import manifest as parsing
from dbt_common.exceptions import CompilationError

from portmesh.errors import PortmeshError, nearest, not_allowed

_TEST = re.compile(r"\s*\{%-?\s*test\s")
"""How the source of a macro begins that is a data test."""


def add_near_names() -> None:
    """Change what dbt says, once in a process."""
    if hasattr(parsing._process_refs, "__wrapped__"):
        return
    parsing._process_refs = _after_the_check_is_found(_with_near_name(parsing._process_refs))
    parsing._process_sources_for_node = _with_near_name(parsing._process_sources_for_node)


def _after_the_check_is_found(process: Any) -> Any:
    @wraps(process)
    def process_if_found(manifest: Manifest, root: str, node: Any, *arguments: Any) -> None:
        if isinstance(node, GenericTestNode) and None in node.depends_on.macros:
            raise CompilationError(str(_no_such_check(manifest, node)))
        process(manifest, root, node, *arguments)

    return process_if_found


def _no_such_check(manifest: Manifest, test: GenericTestNode) -> PortmeshError:
    macros = manifest.macros.values()
    known = sorted({macro.name.removeprefix("test_") for macro in macros if _TEST.match(macro.macro_sql)})
    column = f", column {test.column_name}" if test.column_name else ""
    where = f"{test.original_file_path} of {test.package_name}{column}"
    return not_allowed("check", test.test_metadata.name, known).of("where", where)


def _with_near_name(process: Any) -> Any:
    @wraps(process)
    def process_with_near_name(manifest: Manifest, root: str, node: Any, *arguments: Any) -> None:
        try:
            process(manifest, root, node, *arguments)
        except TargetNotFoundError as error:
            if not error.disabled:
                error.msg += _hint(manifest, node.package_name, error)
            raise

    return process_with_near_name


def _hint(manifest: Manifest, domain: str, error: TargetNotFoundError) -> str:
    is_ref = error.target_kind == "node"
    known = dict(_refs(manifest, domain) if is_ref else _sources(manifest))
    got = f"{error.target_package or domain}.{error.target_name}" if is_ref else error.target_name
    near = nearest(got, known, cutoff=0.7)
    return f".\nDid you mean {known[near]}?" if near else ""


def _refs(manifest: Manifest, domain: str) -> Iterator[tuple[str, str]]:
    """What a model of the domain can refer to, as `domain.model`: all of its own, and the ports of others."""
    for node in manifest.nodes.values():
        if node.package_name == domain and node.is_refable:
            yield f"{domain}.{node.name}", f"ref('{node.name}')"
        elif getattr(node, "access", None) == AccessType.Public:
            yield f"{node.package_name}.{node.name}", f"ref('{node.package_name}', '{node.name}')"


def _sources(manifest: Manifest) -> Iterator[tuple[str, str]]:
    for source in manifest.sources.values():
        yield f"{source.source_name}.{source.name}", f"source('{source.source_name}', '{source.name}')"
