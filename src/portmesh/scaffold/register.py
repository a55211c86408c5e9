"""Writes the lists of the domains, in the files outside their folders, from the folders (decision 0028).

A domain is a folder of `domains/` with a dbt_project.yml. Each list stands between two comments in its file. Nothing
here needs dbt, so that a mesh that dbt cannot read can be put right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portmesh.errors import FindingsError, UsageError
from portmesh.scaffold.names import assert_domain_name
from portmesh.scaffold.writing import write_all
from portmesh.scaffold.yaml_files import mapping_of, mappings, read_mapping

BEGIN = "# domains: written by `portmesh register`"
END = "# end of domains"
REGION = re.compile(rf"^(?P<indent>[ ]*){BEGIN}\n(?P<lines>(?:.*\n)*?)[ ]*{END}$", re.MULTILINE)
HANDLE = re.compile(r"@[\w-]+(/[\w.-]+)?|[^\s@]+@[^\s@]+\.[^\s@]+", re.ASCII)
"""A user or team on GitHub, or an address: what CODEOWNERS may name."""

CODEOWNERS = "CODEOWNERS"


@dataclass(frozen=True)
class Domain:
    """A domain's folder. `owner` is who approves its changes: `owner.github` of its group, empty if it has none."""

    name: str
    owner: str = ""
    has_macros: bool = False


@dataclass(frozen=True)
class Change:
    """A line that a list lacks (`is_new`), or has for no domain."""

    file: str
    line: str
    is_new: bool

    def __str__(self) -> str:
        return f"{'+' if self.is_new else '-'} {self.line.strip()}"


@dataclass(frozen=True)
class Lists:
    """The files with their lists as they should be, and what changes in them."""

    domains: Sequence[Domain]
    texts: Mapping[Path, str]
    changes: Sequence[Change]
    without_owner: Sequence[str]


def domain_folders(root: Path) -> list[str]:
    """The names of the folders of the domains."""
    found = sorted(path.parent.name for path in root.glob("domains/*/dbt_project.yml"))
    return [name for name in found if not name.startswith(".")]


def unlisted(root: Path) -> list[str]:
    """The folders of domains that packages.yml does not name, which dbt therefore does not read: `domains/finance`.

    Raises nothing: a packages.yml that cannot be read is dbt's to report.
    """
    try:
        packages = mappings(read_mapping(root, root / "packages.yml").get("packages"))
    except (OSError, FindingsError):
        return []
    listed = {Path(str(package.get("local"))) for package in packages}
    return [f"domains/{name}" for name in domain_folders(root) if Path("domains", name) not in listed]


def read_domains(root: Path) -> list[Domain]:
    """All domains.

    Raises FindingsError if a domain's YAML cannot be read or its package has another name than its folder, and
    UsageError if it has a name that no domain can have.
    """
    return [_read_domain(root, name) for name in domain_folders(root)]


def _read_domain(root: Path, name: str) -> Domain:
    file = root / "domains" / name / "dbt_project.yml"
    package = read_mapping(root, file).get("name")
    if package != name:
        raise FindingsError(
            f"domains/{name} has a package named {package or 'nothing'}: a domain's folder and package have one name.",
            [
                ("file", f"domains/{name}/dbt_project.yml"),
                ("got", f"name: {package or ''}"),
                ("allowed", f"name: {name}"),
            ],
            "rename the folder or the package, then the same command",
        )
    assert_domain_name(root, name, f"domains/{name}")
    return Domain(name, _owner(root, name), any((root / "domains" / name / "macros").glob("*.sql")))


def _owner(root: Path, name: str) -> str:
    for path in sorted((root / "domains" / name / "models").rglob("*.y*ml")):
        if "groups:" not in path.read_text(encoding="utf-8", errors="replace"):
            continue
        for group in mappings(read_mapping(root, path).get("groups")):
            if group.get("name") == name:
                return _handle(root, path, group)
    return ""


def _handle(root: Path, path: Path, group: Mapping[str, Any]) -> str:
    owner = group.get("owner")
    handle = str(owner.get("github") or "") if isinstance(owner, dict) else ""
    if handle and not HANDLE.fullmatch(handle):
        raise FindingsError(
            f"owner.github of {group['name']} is nobody whom CODEOWNERS could name.",
            [("file", str(path.relative_to(root))), ("got", handle), ("allowed", "@team, @company/team or an address")],
            "fix owner.github, in quotes, then the same command",
        )
    return handle


def plan_lists(root: Path, domains: Sequence[Domain] | None = None) -> Lists:
    """The lists for these domains, by default those of the folders.

    Raises FindingsError if a file has no place for its list, or if it could not be read afterwards.
    """
    domains = read_domains(root) if domains is None else domains
    texts: dict[Path, str] = {}
    changes: list[Change] = []
    for file, lines in _lines(root, domains).items():
        path = root / file
        old = path.read_text(encoding="utf-8") if path.is_file() else ""
        new, changed = _with_region(file, old, lines)
        if path.suffix == ".yml":
            mapping_of(root, path, new)
        if new != old:
            texts[path] = new
            changes += changed
    owners = (root / CODEOWNERS).is_file()
    return Lists(domains, texts, changes, [d.name for d in domains if not d.owner] if owners else [])


def _lines(root: Path, domains: Sequence[Domain]) -> dict[str, list[str]]:
    written = _written_by_hand(root)
    lists = {
        "packages.yml": [f"- local: domains/{d.name}" for d in domains],
        "dbt_project.yml": [
            f"{d.name}: {{+group: {d.name}, output_ports: *output_ports}}" for d in domains if d.name not in written
        ],
        ".sqlfluff": [f",domains/{d.name}/macros" for d in domains if d.has_macros],
    }
    if (root / CODEOWNERS).is_file():
        owned = [(f"/domains/{d.name}/", d.owner) for d in domains if d.owner]
        width = max((len(path) for path, _ in owned), default=0)
        lists[CODEOWNERS] = [f"{path:<{width}}  {owner}" for path, owner in owned]
    return lists


def _written_by_hand(root: Path) -> set[str]:
    """The domains that dbt_project.yml configures outside its list: the first one, which the others refer to."""
    path = root / "dbt_project.yml"
    models = mapping_of(root, path, REGION.sub("", path.read_text(encoding="utf-8"))).get("models")
    return set(models) if isinstance(models, dict) else set()


def _with_region(file: str, text: str, lines: Sequence[str]) -> tuple[str, list[Change]]:
    found = REGION.search(text)
    if not found:
        raise UsageError(
            f"{file} has no place for the list of the domains.",
            [("file", file), ("needs", f"{BEGIN}\n{END}")],
            "put these two lines where the domains stood, then the same command (docs/platform-engineer.md)",
        )
    indent = found["indent"]
    old, new = found["lines"].splitlines(), [f"{indent}{line}" for line in lines]
    region = "\n".join([f"{indent}{BEGIN}", *new, f"{indent}{END}"])
    changes = [Change(file, line, False) for line in old if line not in new]
    changes += [Change(file, line, True) for line in new if line not in old]
    if not changes and old != new:
        changes = [Change(file, "the order of the lines", True)]
    return text[: found.start()] + region + text[found.end() :], changes


def write_lists(lists: Lists) -> None:
    """Write all files with lists that change, or none."""
    write_all(lists.texts, replace=True)


def assert_lists(lists: Lists) -> None:
    """Raise FindingsError if a list is out of date, or CODEOWNERS cannot name who approves a domain's changes."""
    facts = changes_by_file(lists.changes) + [(f"domains/{name}", _no_owner(name)) for name in lists.without_owner]
    if not facts:
        return
    number = len(lists.changes) + len(lists.without_owner)
    first = "add owner.github to the groups, then " if lists.without_owner else ""
    raise FindingsError(
        f"The lists of the domains are out of date: {number} finding{'' if number == 1 else 's'}.",
        facts,
        f"{first}portmesh register, and commit the files",
        {
            "files": {file: lines.split("\n") for file, lines in changes_by_file(lists.changes)},
            "no_owner": lists.without_owner,
        },
    )


def changes_by_file(changes: Sequence[Change]) -> list[tuple[str, str]]:
    """The changed lines of each file, for people."""
    files = dict.fromkeys(change.file for change in changes)
    return [(file, "\n".join(str(change) for change in changes if change.file == file)) for file in files]


def _no_owner(name: str) -> str:
    return f"its group {name} has no owner.github, so CODEOWNERS cannot say who approves its changes"
