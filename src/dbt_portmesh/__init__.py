"""What dbt itself loads of Portmesh, as it loads every installed module named dbt_*: `dbt docs generate` writes pages
in which the mesh's text is text (docs/decisions/0011-text-is-text.md)."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import Any

from dbt.artifacts.schemas.catalog import CatalogArtifact
from dbt.plugins.manager import dbtPlugin
from dbt.task.docs import DOCS_INDEX_FILE_PATH
from dbt.task.docs.generate import GenerateTask
from dbt_common.exceptions import DbtRuntimeError

from portmesh.catalog.viewer import STATIC_PAGE, is_safe, make_page
from portmesh.errors import MissingArtifactError


class SafeDocs(dbtPlugin):
    """Has dbt's task for `docs generate` end with safe pages."""

    def initialize(self) -> None:
        if not hasattr(GenerateTask.run, "__wrapped__"):
            GenerateTask.run = _with_safe_pages(GenerateTask.run)  # type: ignore[method-assign]


plugins = [SafeDocs]


def _with_safe_pages(run: Any) -> Any:
    @wraps(run)
    def run_safely(task: GenerateTask) -> CatalogArtifact:
        viewer = Path(DOCS_INDEX_FILE_PATH).read_text(encoding="utf-8")
        try:
            make_page(viewer)
        except MissingArtifactError as error:
            raise DbtRuntimeError(str(error)) from error
        try:
            return run(task)  # type: ignore[no-any-return]
        finally:
            make_pages_safe(Path(task.config.project_target_path), viewer)

    return run_safely


def make_pages_safe(target: Path, viewer: str) -> None:
    """Replace the pages that dbt has just written into `target`; one that cannot be replaced does not stay."""
    for name in ("index.html", STATIC_PAGE):
        page = target / name
        if not page.is_file() or is_safe(page):
            continue
        page.unlink()
        artifacts = ("manifest.json", "catalog.json") if name == STATIC_PAGE else ()
        safe = make_page(viewer, *((target / each).read_text(encoding="utf-8") for each in artifacts))
        part = page.with_suffix(".part")
        part.write_text(safe, encoding="utf-8")
        part.replace(page)
