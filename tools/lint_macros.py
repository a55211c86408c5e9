"""Check the length and shape of the macros. (sqlfluff and dbt-bouncer check the domains.)

A file has one public macro, is named after it, and has private macros (`_name`) below it. Macros are short, something
calls each of them, and the folder's `_*.yml` documents public ones with the same arguments as their signature. Several
public macros may share a file only if all of them use the same private macro of that file, which no other file may
call. Materializations are exempt, because dbt calls them by name.

`macros/engines/interface.sql` has a door for each operation of an engine: a macro that only passes its arguments to the
engine's own macro. Comments between the doors describe them, and the file may be as long as it needs to be. A file in
`macros/engines/<engine>/` has the macros of one step and no public macro: variants (`<engine>__name`), with the
arguments of their door or for the engine's other files; private macros of that file; and macros with dbt's own names,
to correct the adapter. Elsewhere, a check or a domain's macro that dispatches has its variants in the same file.

dbt's own parser reads the Jinja.

Usage: python tools/lint_macros.py
Exit codes: 0 success, 1 findings, 3 nothing to lint.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import dbt.include.global_project
import yaml
from dbt_common.clients import jinja
from dbt_common.exceptions import DbtBaseException
from jinja2 import meta, nodes

ROOT = Path(__file__).resolve().parents[1]
FINE, FINDINGS, _, MISSING_ARTIFACT = range(4)

FOLDERS = ("macros", "domains/*/macros")
# What the platform offers to the models of the domains.
OFFERED = "macros/models/"
# The interface of an engine: one door for each of its operations.
DOORS = "macros/engines/interface.sql"

# Names that dbt defines whenever it renders something for a node.
OF_THE_NODE = frozenset({"sql", "compiled_code", "model", "this", "config", "schema", "database"})

LONGEST_MACRO = 25
LONGEST_FILE = 120
LONGEST_LINE = 120
ENGINES = ("duckdb", "spark", "athena", "iceberg")
# Functions that dbt lets a project replace, in addition to its macros.
BUILTINS = frozenset({"ref", "source", "config"})
BLOCKS = {"macro", "materialization", "test", "data_test"}
PREFIX = "dbt_macro__"


@dataclass(frozen=True)
class Macro:
    """A macro of a file. `uses` has the names that it calls or passes on. A generic test's name starts with `test_`."""

    name: str
    file: str
    line: int
    text: str
    arguments: tuple[str, ...]
    uses: frozenset[str]
    leaks: tuple[str, ...]

    @property
    def length(self) -> int:
        """The number of its lines."""
        return self.text.count("\n") + 1

    @property
    def engine(self) -> str:
        """The engine of a variant, or `default` for the variant for all others. Empty for other macros."""
        prefix = self.name.partition("__")[0]
        return prefix if prefix in (*ENGINES, "default") else ""

    @property
    def stem(self) -> str:
        """The name without an engine's prefix."""
        return self.name.partition("__")[2] if self.engine else self.name

    @property
    def is_private(self) -> bool:
        return self.name.startswith("_")

    @property
    def is_public(self) -> bool:
        return not (self.is_private or self.engine or self.name.startswith("materialization_"))


@dataclass(frozen=True)
class Finding:
    """What is wrong in a file, and what to do. `line` is 0 if it concerns the whole file."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


@dataclass
class Repository:
    """The macros of a repository, and everything in it that may use them."""

    root: Path
    folders: Iterable[str] = FOLDERS
    findings: list[Finding] = field(default_factory=list)

    @cached_property
    def packages(self) -> frozenset[str]:
        """The package names with which a macro of the repository may be called."""
        return frozenset({"portmesh", *(folder.name for folder in self.root.glob("domains/*"))})

    @cached_property
    def macros(self) -> dict[str, list[Macro]]:
        """All macros by file, including those in folders that are not linted, because they call others."""
        files = sorted([*self.root.glob("macros/**/*.sql"), *self.root.glob("domains/*/macros/**/*.sql")])
        return {self.name_of(file): list(self._read(file)) for file in files}

    @cached_property
    def linted(self) -> list[str]:
        folders = [folder for pattern in self.folders for folder in self.root.glob(pattern)]
        return [file for file in self.macros if any((self.root / file).is_relative_to(folder) for folder in folders)]

    @cached_property
    def documented(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The properties of macros, by properties file and name."""
        files = [*self.root.glob("macros/**/_*.yml"), *self.root.glob("domains/*/macros/**/_*.yml")]
        texts = {self.name_of(file): yaml.safe_load(file.read_text()) or {} for file in files}
        return {file: {m["name"]: m for m in text.get("macros", [])} for file, text in texts.items()}

    @cached_property
    def used(self) -> Counter[str]:
        """How many macros and other places use each name, without macros that call themselves."""
        used = Counter(name for macros in self.macros.values() for m in macros for name in m.uses - {m.name})
        for pattern in ("domains/*/models/**/*.sql", "domains/*/tests/**/*.sql"):
            for file in self.root.glob(pattern):
                used.update(names_used(jinja.parse(file.read_text()), self.packages))
        for file in [self.root / "dbt_project.yml", *self.root.glob("domains/*/**/*.yml")]:
            if file.exists():
                used.update(
                    name for text in _texts(yaml.safe_load(file.read_text())) for name in _names_in(text, self.packages)
                )
        for file in self.root.glob("src/**/*.py"):
            constants = (n.value for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Constant))
            used.update(value for value in constants if isinstance(value, str) and value.isidentifier())
        for file in [*self.root.glob("docs/**/*.md"), *self.root.glob("*.md")]:
            used.update(re.findall(r"dbt run-operation (\w+)", file.read_text()))
        return used

    def name_of(self, file: Path) -> str:
        return file.relative_to(self.root).as_posix()

    def _read(self, file: Path) -> Iterator[Macro]:
        text, name = file.read_text(), self.name_of(file)
        try:
            yield from read_macros(text, name, self.packages)
        except DbtBaseException as error:
            self.findings.append(Finding(name, 0, f"dbt cannot read its Jinja: {error}"))


def read_macros(text: str, file: str, packages: Collection[str]) -> Iterator[Macro]:
    """The macros of a file's text, in order, as dbt parses them."""
    blocks = jinja.extract_toplevel_blocks(text, allowed_blocks=BLOCKS, collect_raw_data=False)
    start = 0
    for block in ((block.full_block or "").strip() for block in blocks):
        start = text.index(block, start)
        template = jinja.parse(block)
        macro = next(template.find_all(nodes.Macro))
        yield Macro(
            name=macro.name.removeprefix(PREFIX),
            file=file,
            line=text.count("\n", 0, start) + 1,
            text=block,
            arguments=tuple(argument.name for argument in macro.args if isinstance(argument, nodes.Name)),
            uses=frozenset(names_used(template, packages)),
            leaks=tuple(names_of_the_node(macro)),
        )
        start += len(block)


def names_used(template: nodes.Template, packages: Collection[str]) -> Iterator[str]:
    """The names that Jinja loads: `name`, `package.name`, `adapter.dispatch('name')`, `engine_macro('name')`,
    `context['package']['name']`."""
    yield from meta.find_undeclared_variables(template)
    for attribute in template.find_all(nodes.Getattr):
        if isinstance(attribute.node, nodes.Name) and attribute.node.name in packages:
            yield attribute.attr
    for item in template.find_all(nodes.Getitem):
        if isinstance(item.arg, nodes.Const) and isinstance(item.arg.value, str):
            yield item.arg.value
    for call in template.find_all(nodes.Call):
        called = getattr(call.node, "attr", getattr(call.node, "name", ""))
        if called in ("dispatch", "engine_macro"):
            yield from (a.value for a in call.args[:1] if isinstance(a, nodes.Const))


def names_of_the_node(macro: nodes.Macro) -> Iterator[str]:
    """Names that a macro sets only inside a branch. If the branch is not taken, Jinja reads the node's own variable."""
    set_at_once = {argument.name for argument in macro.args} | {
        name for statement in macro.body for name in _names_set(statement)
    }
    for branch in macro.find_all(nodes.If):
        for statement in branch.find_all((nodes.Assign, nodes.AssignBlock)):
            yield from OF_THE_NODE.intersection(_names_set(statement)) - set_at_once


def _names_set(statement: nodes.Node) -> Iterator[str]:
    if isinstance(statement, nodes.Assign | nodes.AssignBlock):
        targets = statement.target.items if isinstance(statement.target, nodes.Tuple) else [statement.target]
        yield from (target.name for target in targets if isinstance(target, nodes.Name))


def _texts(value: Any) -> Iterator[str]:
    """All texts of a YAML value that contain Jinja."""
    if isinstance(value, str) and ("{{" in value or "{%" in value):
        yield value
    elif isinstance(value, dict):
        yield from (text for inner in value.values() for text in _texts(inner))
    elif isinstance(value, list):
        yield from (text for inner in value for text in _texts(inner))


def _names_in(text: str, packages: Collection[str]) -> Iterator[str]:
    try:
        yield from names_used(jinja.parse(text), packages)
    except DbtBaseException:  # Text that only looks like Jinja, such as a description.
        return


def macros_of_dbt() -> frozenset[str]:
    """The names of the macros of dbt and its adapters, which a project may replace."""
    names = set()
    for file in Path(*dbt.include.global_project.__path__).parent.glob("*/macros/**/*.sql"):
        for block in jinja.extract_toplevel_blocks(file.read_text(), allowed_blocks=BLOCKS, collect_raw_data=False):
            names.add(getattr(block, "block_name", ""))
    return frozenset(names)


def check_shape(macros: list[Macro], file: str) -> Iterator[Finding]:
    """A file has one public macro, named after the file, or several that belong together; private ones are below."""
    public = [macro for macro in macros if macro.is_public]
    stem = Path(file).stem
    names = ", ".join(macro.name for macro in public) or "none"
    if not public and any(not macro.name.startswith("materialization_") for macro in macros):
        yield Finding(file, 0, "It has no public macro. Put its macros into the file that calls them.")
    elif len(public) == 1 and public[0].name not in (stem, f"test_{stem}"):
        name = public[0].name.removeprefix("test_")
        yield Finding(file, public[0].line, f"Its public macro is {name}. Name the file {name}.sql.")
    elif len(public) > 1 and not frozenset.intersection(*(private_ones(macro, macros) for macro in public)):
        allowed = "allowed is 1, or several that all use one private macro of the file"
        fix = "Give each a file of its own, or a name that starts with _ if only this file calls it."
        yield Finding(file, 0, f"It has {len(public)} public macros ({names}); {allowed}. {fix}")
    for macro in macros:
        if macro.is_private and public and macro.line < public[0].line:
            yield Finding(
                file, macro.line, f"{macro.name} is above {public[0].name}. Put private macros below the public one."
            )


def private_ones(macro: Macro, macros: list[Macro]) -> frozenset[str]:
    """The private macros of its file that a macro uses, directly or through other macros of the file."""
    by_name = {other.name: other for other in macros}
    found: set[str] = set()
    ahead = [macro]
    while ahead:
        for name in ahead.pop().uses & by_name.keys() - found:
            found.add(name)
            ahead.append(by_name[name])
    return frozenset(name for name in found if by_name[name].is_private)


def engine_of(file: str) -> str:
    """The engine whose folder contains a file. Empty for other files."""
    match = re.match(rf"macros/engines/({'|'.join(ENGINES)})/", file)
    return match[1] if match else ""


def check_engine_file(macros: list[Macro], of_dbt: frozenset[str], file: str) -> Iterator[Finding]:
    """A file of an engine has only variants, private macros, and macros that replace dbt's."""
    for macro in (macro for macro in macros if macro.is_public and macro.name not in of_dbt):
        name = f"{engine_of(file)}__{macro.name}"
        fix = f"Name it {name}, or _{macro.name} if only this file calls it."
        yield Finding(file, macro.line, f"{macro.name} is not a variant of an engine. {fix}")


def check_doors(repository: Repository) -> Iterator[Finding]:
    """A door passes its arguments to the engine's macro of the same name, which has the same arguments."""
    doors = {macro.name: macro for macro in repository.macros.get(DOORS, [])}
    for door in doors.values():
        call = f"{{{{ return(portmesh.engine_macro('{door.name}')({', '.join(door.arguments)})) }}}}"
        if call not in door.text:
            yield Finding(
                DOORS, door.line, f"{door.name} is not a door, because it lacks {call}. Move it to its own file."
            )
    for file in filter(engine_of, repository.macros):
        for variant in (macro for macro in repository.macros[file] if macro.engine and macro.stem in doors):
            if variant.arguments != doors[variant.stem].arguments:
                got, allowed = (", ".join(m.arguments) or "none" for m in (variant, doors[variant.stem]))
                yield Finding(file, variant.line, f"The arguments of {variant.name} are {got}; {DOORS} has {allowed}.")


def check_private(macros: list[Macro], repository: Repository, file: str) -> Iterator[Finding]:
    """A private macro is used only in its own file."""
    for macro in (macro for macro in macros if macro.is_private):
        for other in repository.macros:
            if other != file and any(macro.name in caller.uses for caller in repository.macros[other]):
                if any(macro.name == own.name for own in repository.macros[other]):
                    continue
                fix = "Give it a file and a name without _."
                yield Finding(file, macro.line, f"{macro.name} is private, and {other} calls it. {fix}")


def check_variants(macros: list[Macro], file: str) -> Iterator[Finding]:
    """An engine's variant is in the engine's folder, or in the file of the check or macro that dispatches it."""
    dispatched_here = {name for macro in macros if not macro.engine for name in macro.uses}
    may_be_beside = file.startswith(("macros/checks/", "domains/"))
    for macro in (macro for macro in macros if macro.engine):
        is_in_folder = macro.engine in ENGINES and file.startswith(f"macros/engines/{macro.engine}/")
        if not (is_in_folder or (may_be_beside and macro.stem in dispatched_here)):
            folder = f"macros/engines/{macro.engine}/, or " if macro.engine in ENGINES else ""
            allowed = f"{folder}the file of a check that dispatches {macro.stem}"
            yield Finding(
                file, macro.line, f"{macro.name} is a variant for one engine; allowed is {allowed}. Move it there."
            )


def check_leaks(macros: list[Macro], file: str) -> Iterator[Finding]:
    """A macro never reads the node's variable when it means its own of the same name."""
    for macro in macros:
        for name in macro.leaks:
            what = f"{macro.name} sets {name} only inside a branch, and otherwise reads the node's {name}"
            yield Finding(file, macro.line, f"{what}. Set it above the branch.")


def check_length(macros: list[Macro], text: str, file: str) -> Iterator[Finding]:
    """Short macros, short files, short lines."""
    for macro in macros:
        if macro.length > LONGEST_MACRO:
            fix = "Move a part of it to another macro, named for what it does."
            yield Finding(
                file, macro.line, f"{macro.name} has {macro.length} lines; allowed are {LONGEST_MACRO}. {fix}"
            )
    lines = text.splitlines()
    if len(lines) > LONGEST_FILE and file != DOORS:
        yield Finding(file, 0, f"It has {len(lines)} lines; allowed are {LONGEST_FILE}. Split it.")
    for number, line in enumerate(lines, start=1):
        if len(line) > LONGEST_LINE:
            yield Finding(file, number, f"{len(line)} characters in a line; allowed are {LONGEST_LINE}. Break it.")


def check_use(macros: list[Macro], repository: Repository, of_dbt: frozenset[str], file: str) -> Iterator[Finding]:
    """Something calls each macro: the mesh, dbt instead of its own macro, or a person with run-operation.

    Generic tests, materializations and the public macros of OFFERED are for models that may not exist yet.
    """
    for macro in macros:
        is_public_offer = file.startswith(OFFERED) and not macro.name.startswith("_")
        is_offered = macro.name.startswith(("test_", "materialization_")) or is_public_offer
        is_used = repository.used[macro.stem] or repository.used[macro.name]
        if not (is_offered or is_used or {macro.name, macro.stem} & (of_dbt | BUILTINS)):
            yield Finding(file, macro.line, f"Nothing calls {macro.name}. Delete it.")


def check_documentation(macros: list[Macro], repository: Repository, file: str) -> Iterator[Finding]:
    """A public macro is described in the properties file of its folder or of a folder above it. Doors are exempt."""
    if file == DOORS or engine_of(file):
        return
    folders = [parent.as_posix() for parent in Path(file).parents]
    places = [place for folder in folders for place in repository.documented if Path(place).parent.as_posix() == folder]
    for macro in (macro for macro in macros if macro.is_public):
        place = places[0] if places else f"{folders[0]}/_{Path(folders[0]).name}.yml"
        properties = repository.documented.get(place, {}).get(macro.name)
        if not properties or not properties.get("description", "").strip():
            yield Finding(file, macro.line, f"{macro.name} is not described. Describe it in {place}.")
            continue
        arguments = properties.get("arguments", [])
        given = tuple(argument["name"] for argument in arguments)
        if given != macro.arguments:
            got, allowed = ", ".join(given) or "none", ", ".join(macro.arguments) or "none"
            yield Finding(place, 0, f"The arguments of {macro.name} are {got}; its signature has {allowed}.")
        for argument in arguments:
            if not (argument.get("type") and argument.get("description")):
                yield Finding(place, 0, f"The argument {argument['name']} of {macro.name} needs type and description.")


def check_properties(repository: Repository) -> Iterator[Finding]:
    """Every macro that a properties file describes exists."""
    for place, described in repository.documented.items():
        folder = Path(place).parent
        files = [file for file in repository.linted if Path(file).is_relative_to(folder)]
        known = {macro.name for file in files for macro in repository.macros[file]}
        for name in described:
            if files and name not in known:
                yield Finding(
                    place, 0, f"It describes {name}, but no file of {folder} has that macro. Remove the description."
                )


def lint(repository: Repository, of_dbt: frozenset[str]) -> list[Finding]:
    """All findings, in order of file."""
    findings: list[Finding] = []
    for file in repository.linted:
        macros, text = repository.macros[file], (repository.root / file).read_text()
        if engine_of(file):
            findings += check_engine_file(macros, of_dbt, file)
        elif file != DOORS:
            findings += check_shape(macros, file)
        findings += check_private(macros, repository, file)
        findings += check_variants(macros, file)
        findings += check_leaks(macros, file)
        findings += check_length(macros, text, file)
        findings += check_use(macros, repository, of_dbt, file)
        findings += check_documentation(macros, repository, file)
    findings += check_doors(repository)
    findings += check_properties(repository)
    return sorted([*repository.findings, *findings], key=lambda f: (f.file, f.line))


def run(root: Path = ROOT) -> int:
    repository = Repository(root)
    if not repository.linted:
        print(f"There is no macro to lint in {', '.join(FOLDERS)}.")
        return MISSING_ARTIFACT
    findings = lint(repository, macros_of_dbt())
    for finding in findings:
        print(finding)
    macros = sum(len(repository.macros[file]) for file in repository.linted)
    print(f"{macros} macros in {len(repository.linted)} files linted: {len(findings)} findings.")
    return FINDINGS if findings else FINE


if __name__ == "__main__":
    raise SystemExit(run())
