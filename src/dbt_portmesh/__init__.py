"""Portmesh's plugin for dbt, which loads every installed module named dbt_*.

It makes the pages of `dbt docs generate` safe (docs/decisions/0011-text-is-text.md), names domains that dbt would leave
out, and lets every dbt command explain why it cannot reach its engine. A macro cannot do that: dbt queries the engine's
schemas before the first hook.
"""

from __future__ import annotations

import re
from functools import wraps
from pathlib import Path
from typing import Any

import duckdb
from botocore.exceptions import BotoCoreError, ClientError
from dbt.artifacts.schemas.catalog import CatalogArtifact
from dbt.config.runtime import RuntimeConfig
from dbt.events.types import JinjaLogWarning
from dbt.flags import get_flags
from dbt.plugins.manager import dbt_hook, dbtPlugin
from dbt.plugins.manifest import PluginNodes
from dbt.task.docs import DOCS_INDEX_FILE_PATH
from dbt.task.docs.generate import GenerateTask
from dbt.task.runnable import GraphRunnableTask
from dbt_common.events.functions import warn_or_error
from dbt_common.exceptions import DbtBaseException, DbtRuntimeError
from dbt_common.exceptions.connection import ConnectionError as DbtConnectionError
from dbt_common.helper_types import PathSet

from dbt_portmesh.focus import add_focus
from dbt_portmesh.macro_names import add_macro_names
from dbt_portmesh.near_names import add_near_names
from dbt_portmesh.python_models import add_python_models
from dbt_portmesh.saved_parses import add_saved_parses
from dbt_portmesh.yaml_errors import add_yaml_errors
from portmesh import database
from portmesh.catalog.viewer import STATIC_PAGE, is_safe, make_page
from portmesh.engine_faults import meaning_of_error
from portmesh.errors import MissingArtifactError, UsageError
from portmesh.scaffold.register import domain_folders, unlisted


class SafeDocs(dbtPlugin):
    """Makes dbt's `docs generate` write safe pages."""

    def initialize(self) -> None:
        if not hasattr(GenerateTask.run, "__wrapped__"):
            GenerateTask.run = _with_safe_pages(GenerateTask.run)  # type: ignore[method-assign]


class PlainFaults(dbtPlugin):
    """Makes every dbt command that runs nodes explain why it cannot reach its engine."""

    def initialize(self) -> None:
        if not hasattr(GraphRunnableTask.execute_with_hooks, "__wrapped__"):
            GraphRunnableTask.execute_with_hooks = _with_plain_faults(  # type: ignore[method-assign]
                GraphRunnableTask.execute_with_hooks
            )


class ListedDomains(dbtPlugin):
    """Makes every dbt command that parses the mesh name the domains that packages.yml leaves out.

    dbt calls the hook once whenever it parses, before it looks up what models refer to. The root's settings for a
    domain that has no models yet are no warning.
    """

    def initialize(self) -> None:
        if not hasattr(RuntimeConfig.get_resource_config_paths, "__wrapped__"):
            RuntimeConfig.get_resource_config_paths = _without_domains(  # type: ignore[method-assign]
                RuntimeConfig.get_resource_config_paths
            )

    @dbt_hook  # type: ignore[untyped-decorator]
    def get_nodes(self) -> PluginNodes:
        if self.project_name == MESH:
            for folder in unlisted(Path(get_flags().PROJECT_DIR or ".")):  # type: ignore[no-untyped-call]
                said = f"{folder} is not in packages.yml, so dbt leaves it out: portmesh register, then dbt deps"
                warn_or_error(JinjaLogWarning(msg=said))
        return PluginNodes()


class OneDomain(dbtPlugin):
    """Lets dbt read one domain, named by the variable PORTMESH_FOCUS, instead of the whole mesh."""

    def initialize(self) -> None:
        add_focus()


class MacroNames(dbtPlugin):
    """Makes dbt collect the names of macros in less time, for each node that it compiles or runs."""

    def initialize(self) -> None:
        add_macro_names()


class PlainParsing(dbtPlugin):
    """Makes dbt say what to do about YAML that it cannot read, and about the name of nothing."""

    def initialize(self) -> None:
        add_yaml_errors()
        add_near_names()


class SavedParses(dbtPlugin):
    """Makes dbt parse only what changed, whatever keys stand in YAML, and whatever was there first."""

    def initialize(self) -> None:
        add_saved_parses()


class PythonModels(dbtPlugin):
    """Runs the Python models of domains with Spark."""

    def initialize(self) -> None:
        add_python_models()


MESH = "portmesh"
"""The name of the root project."""

# The first line of the findings that the macro check_rules raises.
_OF_THE_RULES = re.compile(r"^\s*\d+ findings?; nothing was built\.$", re.MULTILINE)

plugins = [SafeDocs, PlainFaults, ListedDomains, OneDomain, MacroNames, PlainParsing, SavedParses, PythonModels]


def _without_domains(paths_of: Any) -> Any:
    @wraps(paths_of)
    def paths_without_domains(config: RuntimeConfig) -> dict[str, PathSet]:
        found: dict[str, PathSet] = paths_of(config)
        folders = domain_folders(Path(config.project_root)) if config.project_name == MESH else []
        of_domains = {path for name in folders for path in ((name,), (name, "output_ports"))}
        return found | {"models": frozenset(found["models"]) - of_domains}

    return paths_without_domains


def _with_plain_faults(run: Any) -> Any:
    @wraps(run)
    def run_plainly(task: GraphRunnableTask, *arguments: Any) -> Any:
        try:
            return run(task, *arguments)
        except (BotoCoreError, ClientError, DbtBaseException, DbtConnectionError, duckdb.Error) as error:
            if fault := _fault(task, error):
                raise DbtRuntimeError(str(fault)) from error
            raise

    return run_plainly


def _fault(task: GraphRunnableTask, error: Exception) -> UsageError | None:
    """The error to show instead, or None: findings of the rules already say everything and may quote any name."""
    found = None if _OF_THE_RULES.search(str(error)) else _meaning(error)
    if not found:
        return None
    meaning, next_step = found
    nodes = [getattr(result, "node", None) for result in task.node_results]
    has_begun = any(node and node.resource_type != "operation" for node in nodes)
    when = (
        "after its last node; see above what it built" if has_begun else "before its first node: nothing was published"
    )
    return UsageError(
        f"{meaning} dbt {task.args.which} stopped {when}.",
        [("where", _place(task.config.credentials)), ("got", str(error).strip().splitlines()[-1].strip())],
        next_step,
    )


def _meaning(error: Exception) -> tuple[str, str] | None:
    """What the error means and what to do. None if it is not known."""
    if of_the_database := database.meaning_of(str(error)):
        return of_the_database.message, dict(of_the_database.facts)["next"]
    meaning = meaning_of_error(error)
    if not meaning:
        return None
    return meaning.message, f"{meaning.next_step.removesuffix(', then run this again')}, then the same command"


def _place(credentials: Any) -> str:
    """The engine's connection settings: `athena, eu-west-1, primary, s3://portmesh-lake/athena-results/`."""
    told = {
        "athena": ("region_name", "work_group", "s3_staging_dir"),
        "spark": ("host", "port"),
        "duckdb": ("path",),
    }
    return ", ".join([credentials.type, *(str(getattr(credentials, name)) for name in told.get(credentials.type, ()))])


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
    """Make the pages that dbt has just written to `target` safe. A page that cannot be made safe is deleted."""
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
