"""Runs dbt in this process."""

from __future__ import annotations

import json
import os
import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

from dbt.adapters.factory import get_adapter_by_type
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.files import FilePath
from dbt.contracts.graph.manifest import Manifest
from dbt_common.exceptions import DbtRuntimeError

from portmesh import database
from portmesh.engine_faults import meaning_of_fault
from portmesh.errors import FindingsError, PortmeshError, UsageError, not_allowed
from portmesh.repository import find_root, old_packages
from portmesh.scaffold.register import unlisted
from portmesh.text import printable_lines

IN_THE_LOG = "the engine's error is in logs/dbt.log"
"""What ask_about_checks.sql says about an error that Jinja cannot read. dbt's debug events contain that error."""


def run_operation(macro: str, arguments: str = "{}", target: str | None = None) -> list[str]:
    """Run a macro of the mesh with YAML `arguments`. Returns the lines that it printed or logged.

    The default target is the profile's: PORTMESH_TARGET, else local.

    Raises FindingsError with the macro's own message, or UsageError if the mesh cannot be read at all.
    """
    printed: list[str] = []
    errors: list[str] = []
    stacks: list[str] = []

    def listen(event: Any) -> None:
        if event.info.level == "error":
            errors.append(event.info.msg)
        elif event.info.name in ("PrintEvent", "JinjaLogInfo"):
            printed.append(event.info.msg)
        elif event.info.name == "LogDebugStackTrace":
            stacks.append(event.data.exc_info)

    command = ["run-operation", macro, "--args", arguments, *_place(target)]
    result = _invoke(command, listen)
    if not result.success:
        text = _joined([*errors, str(result.exception or "")])
        raise _error_of(result, text.replace(IN_THE_LOG, _first_error(stacks) or IN_THE_LOG))
    return printed


def parse_manifest(*options: str) -> dict[str, Any]:
    """The manifest of the mesh's current files, as a dictionary. Nothing runs and no database is opened.

    `options` are dbt's own, such as `--target emr`. They override the mesh's own folders.

    Raises FindingsError with dbt's own message if dbt cannot parse a file.
    """
    return as_dictionary(parse(options))


def environment_of(manifest: Mapping[str, Any]) -> str:
    """The environment (PORTMESH_ENVIRONMENT) for which dbt parsed this manifest, the last one that it parsed here."""
    adapter = get_adapter_by_type(str(manifest["metadata"]["adapter_type"]))  # type: ignore[no-untyped-call]
    return str(adapter.config.credentials.schema)


def parse_with_checks(*options: str) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The result of `parse_manifest`, and the checks that the gate's macro `checks_by_port` lists for it.

    Raises FindingsError as `parse_manifest` does, or if a port has a check that cannot be measured. Raises UsageError
    if the dbt project is not a mesh.
    """
    manifest = parse(options)
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    adapter = get_adapter_by_type(str(manifest.metadata.adapter_type))  # type: ignore[no-untyped-call]
    try:
        checks: Any = adapter.execute_macro("checks_by_port", project=manifest.metadata.project_name)
    except DbtRuntimeError as error:
        if "could not find a macro" in str(error):
            raise UsageError(
                "This is not a mesh: its root project has no macro checks_by_port.",
                [("got", f"the dbt project {manifest.metadata.project_name}")],
                "change to the mesh's repository, and check that its folder macros/ is complete",
            ) from error
        raise as_error(str(error)) from error
    return as_dictionary(manifest), checks


@dataclass(frozen=True)
class Readable:
    """A mesh whose rows can be read with DuckDB: its manifest, its checks, and how SQL names each source by its id.

    `prelude` is SQL that defines what these names need. `database` is the mesh's file, `alias` its name in SQL.
    Both are empty if the target's tables are in Glue.
    """

    manifest: dict[str, Any]
    checks: dict[str, list[dict[str, Any]]]
    sources: dict[str, str]
    prelude: str
    database: str
    alias: str


def parse_readable(*options: str) -> Readable:
    """The mesh for reading its rows outside dbt. Nothing runs and no database is opened.

    Raises FindingsError as `parse_with_checks` does.
    """
    manifest = parse(options)
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    kind = str(manifest.metadata.adapter_type)
    adapter = get_adapter_by_type(kind)  # type: ignore[no-untyped-call]
    project = manifest.metadata.project_name
    try:
        checks: Any = adapter.execute_macro("checks_by_port", project=project)
        # A mesh without a lake has no such macro.
        prelude: Any = ""
        if kind == "duckdb" and any(macro.name == "create_lake_functions" for macro in manifest.macros.values()):
            prelude = adapter.execute_macro("create_lake_functions", project=project)
    except DbtRuntimeError as error:
        raise as_error(str(error)) from error
    credentials = adapter.config.credentials
    relations = {id_: adapter.Relation.create_from(adapter.config, each) for id_, each in manifest.sources.items()}
    return Readable(
        manifest=as_dictionary(manifest),
        checks=checks,
        sources={id_: relation.render() for id_, relation in relations.items()},
        prelude=str(prelude).strip(),
        database=str(credentials.path) if kind == "duckdb" else "",
        alias=str(credentials.database) if kind == "duckdb" else "",
    )


def read_credentials(target: str | None = None) -> dict[str, str]:
    """The plain values of the target's credentials, such as type, path, schema and region_name. Opens no database."""
    kind = str(parse(["--target", target] if target else []).metadata.adapter_type)
    credentials = get_adapter_by_type(kind).config.credentials  # type: ignore[no-untyped-call]
    shown = {key: value for key, value in credentials.connection_info() if isinstance(value, str)}
    return {
        "type": kind,
        **{key: str(getattr(credentials, key)) for key in ("path",) if hasattr(credentials, key)},
        **shown,
    }


def parse(options: Sequence[str], root: Path | None = None) -> Manifest:
    """dbt's own manifest of the mesh in `root`.

    Raises FindingsError with dbt's own message if dbt cannot parse a file.
    """
    command = ["parse", *_place(root=root), *options]
    if not root and (shared := _shared_manifest(command, find_root())):
        return shared
    result = _invoke(["--no-write-json", *command], root=root)
    if not result.success or not isinstance(result.result, Manifest):
        raise _error_of(result, str(result.exception or "dbt could not parse the mesh."))
    return result.result


def as_dictionary(manifest: Manifest) -> dict[str, Any]:
    """dbt's manifest as its file has it."""
    return manifest.writable_manifest().to_dict(omit_none=False)


def list_nodes(*options: str) -> tuple[list[str], list[str]]:
    """Ids of the nodes that dbt's own options select, and the selectors among the options that match nothing.

    Raises FindingsError if dbt cannot read an option.
    """
    unmatched: list[str] = []

    def listen(event: Any) -> None:
        if event.info.name == "NoNodesForSelectionCriteria":
            unmatched.append(event.data.spec_raw)

    result = _invoke(["ls", "--output", "json", "--output-keys", "unique_id", *options, *_place()], listen)
    if not result.success or not isinstance(result.result, list):
        raise _error_of(result, str(result.exception or "dbt could not list the nodes."))
    return [json.loads(line)["unique_id"] for line in result.result], unmatched


@contextmanager
def with_variable(name: str, value: str) -> Iterator[None]:
    """Let dbt's env_var read this value until the end of the block."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        os.environ.update({name: before} if before is not None else {})


def install_packages(root: Path | None = None) -> None:
    """Run `dbt deps`, which links the domains of packages.yml into `dbt_packages`, in `root` (default: this mesh).

    Raises FindingsError with dbt's own message if it fails.
    """
    root = root or find_root()
    with chdir(root):
        result = dbtRunner().invoke(["deps", *_place(root=root)])
    if not result.success:
        raise as_error(str(result.exception or "dbt deps failed."))


def compile_model(label: str, target: str | None = None) -> str:
    """The compiled SQL of a model, such as `orders.order_lines` or `orders.order_lines.v2`; empty if there is none.

    Raises UsageError for a Python model, and otherwise as `compile_node` does.
    """
    node = compile_node(label, target)
    if node and node.language == "python":
        raise UsageError(
            f"{label} is a Python model: its columns are known only when its code runs.",
            [("got", node.original_file_path)],
            f"write its contract; dbt build --select {node.name} then prints what differs",
        )
    return str(node.compiled_code) if node else ""


def compile_node(label: str, target: str | None = None) -> Any:
    """A model as dbt compiled it; none if there is none with this label. Runs no hooks.

    Raises FindingsError with dbt's own message if dbt cannot compile the model.
    """
    errors: list[str] = []

    def listen(event: Any) -> None:
        if event.info.level == "error":
            errors.append(event.info.msg)

    domain, _, name = label.partition(".")
    chosen = ["--select", f"package:{domain},{name}", "--indirect-selection", "empty"]
    result = _invoke(["compile", *chosen, *_place(target)], listen)
    if not result.success:
        raise _error_of(result, _joined([*errors, str(result.exception or "")]))
    for one in getattr(result.result, "results", None) or []:
        version = getattr(one.node, "version", None)
        if label == f"{one.node.package_name}.{one.node.name}{f'.v{version}' if version else ''}":
            return one.node
    return None


def build(*options: str, ended: Callable[[str, str], None] | None = None) -> dbtRunnerResult:
    """Run `dbt build`, with its usual output. `ended` is called with the id and the status of each node that ends."""
    root = str(find_root())

    def listen(event: Any) -> None:
        if ended and event.info.name == "NodeFinished":
            ended(event.data.node_info.unique_id, event.data.node_info.node_status)

    return _invoke(["build", *options, "--project-dir", root, "--profiles-dir", root], listen)


def stopped_by(result: dbtRunnerResult) -> str:
    """Why a run ended before its first node: a failed hook at its start, or dbt's own error. Empty if it did not."""
    for one in getattr(result.result, "results", None) or []:
        if "on-run-start" in getattr(one.node, "tags", ()) and str(one.status) == "error":
            # Remove dbt's prefix and the engine's; the message of the hook follows them (macros/mesh/stop_run.sql).
            return re.sub(r"^\S+ failed, error:\s*(Invalid Input Error: )?", "", one.message or "").strip()
    return str(result.exception or "").strip()


def _invoke(
    arguments: Sequence[str],
    listen: Callable[[Any], None] | None = None,
    root: Path | None = None,
) -> dbtRunnerResult:
    """Run dbt from the mesh's root, because a profile may name files relative to the current folder."""
    root = root or find_root()
    if old := old_packages(root):
        raise UsageError(
            "The domains were edited after dbt deps copied them.",
            [("got", f"{', '.join(f'dbt_packages/{name}' for name in old)}: not the same as in domains/")],
            "dbt deps, then the same command",
        )
    if left_out := unlisted(root):
        raise UsageError(
            f"packages.yml does not list {' and '.join(left_out)}, so dbt would leave it out.",
            [("file", "packages.yml")],
            "portmesh register, then dbt deps, then the same command",
        )
    with chdir(root):
        runner = dbtRunner(_shared_manifest(arguments, root), [listen] if listen else [])
        result = runner.invoke(list(arguments))
    if isinstance(result.exception, KeyboardInterrupt):
        raise result.exception
    return result


@contextmanager
def parsed_once() -> Iterator[None]:
    """Let dbt parse the mesh once for each target until the end of the block, instead of for every command.

    The mesh's files do not change in it, and each node is built at most once: dbt's compiler keeps what it compiled.
    """
    token = _PARSED.set({})
    try:
        yield
    finally:
        _PARSED.reset(token)


_PARSED: ContextVar[dict[str, Manifest] | None] = ContextVar("parsed", default=None)
_SHARING = ("run-operation", "parse", "ls", "build")


def _shared_manifest(arguments: Sequence[str], root: Path) -> Manifest | None:
    """What dbt parsed before for the target; none outside of parsed_once, or if dbt cannot parse the mesh."""
    parsed = _PARSED.get()
    if parsed is None or arguments[0] not in _SHARING:
        return None
    target = arguments[arguments.index("--target") + 1] if "--target" in arguments else ""
    if target not in parsed:
        place = arguments[arguments.index("--target-path") :][:2] if "--target-path" in arguments else []
        result = dbtRunner().invoke(["--no-write-json", "parse", *_place(target or None, root), *place])
        if isinstance(result.result, Manifest):
            parsed[target] = result.result
    return parsed.get(target)


def _joined(errors: Sequence[str]) -> str:
    """The texts of a failed command; dbt may log its error and raise it, too."""
    plain = [text.removeprefix("Encountered an error:\n").strip("\n") for text in errors]
    return "\n".join(text for text in dict.fromkeys(plain) if text)


def _first_error(stacks: Sequence[str]) -> str:
    """The first error of a chain of errors, as one line. Empty if the error has no cause."""
    first, is_chained, _ = "".join(stacks).partition("\n\nDuring handling of the above exception")
    said = re.findall(r"(?ms)^[\w.]+(?:Error|Exception): (.*?)(?=^Traceback|\Z)", first) if is_chained else []
    text = re.sub(r"^\w+ Error\s*$", "", said[-1], flags=re.MULTILINE) if said else ""
    return printable_lines(" ".join(text.split()))[:300]


def _place(target: str | None = None, root: Path | None = None) -> list[str]:
    folder = str(root or find_root())
    quiet = ["--quiet", "--log-level", "none", "--log-level-file", "debug"]
    place = ["--project-dir", folder, "--profiles-dir", folder, *quiet]
    return place + (["--target", target] if target else [])


def _error_of(result: dbtRunnerResult, text: str) -> PortmeshError:
    """The same as `as_error`, with the file that dbt was reading when it failed, from the mesh's root.

    dbt names it in some errors only, some of them in the line that says what kind of error it is.
    """
    error, file = as_error(text), _unread_file(result.exception)
    if not file or not isinstance(error, FindingsError):
        return error
    message = re.sub(r"^(\w+ Error) in .*", r"\1", error.message)
    is_named = "/".join(Path(file).parts[-2:]) in message
    return FindingsError(message, [*([] if is_named else [("file", file)]), *error.facts])


def _unread_file(error: BaseException | None) -> str:
    """The file that dbt could not read; empty if it failed otherwise."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__ if error else None)]
    for frame in reversed(frames):
        for read in map(frame.f_locals.get, ("block", "source_file")):
            path = getattr(getattr(read, "file", read), "path", None)
            if isinstance(path, FilePath):
                return _from_root(path.full_path)
        if frame.f_code.co_name == "_load_yaml":
            return _from_root(str(frame.f_locals["path"]))
    return ""


def _from_root(path: str) -> str:
    """A path as people know it: dbt reads domains through the links of dbt_packages."""
    root, file = find_root().resolve(), find_root() / path
    known = file.resolve() if file.resolve().is_relative_to(root) else file
    return os.path.relpath(known, root)


def as_error(text: str) -> PortmeshError:
    """A plain error for dbt's error text: without dbt's preamble, and explained if its meaning is known."""
    if of_the_database := database.meaning_of(text):
        return of_the_database
    if "PORTMESH_ENVIRONMENT is not a valid" in text:
        return UsageError(dedent(f"  {text[text.index('PORTMESH_ENVIRONMENT is') :]}").strip())
    if named := re.search(r"does not have a target named '(.*)'.*?:\n((?:\s*- .*\n?)+)", text):
        return not_allowed("target", named[1], re.findall(r"- (\S+)", named[2]))
    if 'Run "dbt deps"' in text:
        return UsageError("The domains are not installed as dbt packages yet.", next_step="dbt deps")
    said = [("said", text.strip().splitlines()[-1].strip())] if text.strip() else []
    if meaning := meaning_of_fault(text):
        return UsageError(meaning.message, said, meaning.next_step)
    # An adapter may wrap a macro's error in its own.
    message = re.sub(r"^.*Encountered an error while running operation: \w+ Error[^\n]*\n", "", text, flags=re.S)
    message = re.sub(r"^\s*\w+ Error in macro [^\n]*\n", "", message)
    message = re.sub(r"\n\s*> (in|called by) macro [^\n]*", "", message)
    return FindingsError(dedent(message.strip("\n")).strip())
