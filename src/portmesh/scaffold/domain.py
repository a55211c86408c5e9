"""Makes a new domain: its folder, and its place in the lists of domains."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from portmesh.errors import UsageError, not_allowed
from portmesh.keys import ENGINES, KINDS
from portmesh.scaffold.names import assert_domain_name
from portmesh.scaffold.register import HANDLE, Domain, plan_lists, read_domains
from portmesh.scaffold.rendering import assert_text, render
from portmesh.scaffold.writing import write_all

EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


@dataclass(frozen=True)
class NewDomain:
    """What a person says about a new domain. `github` may be empty."""

    name: str
    owner: str
    email: str
    channel: str
    description: str
    purpose: str
    kind: str
    engine: str
    github: str = ""

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()


def assert_is_free(root: Path, name: str) -> None:
    """Raise UsageError if no new domain can have this name."""
    folder = root / "domains" / name
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"The folder domains/{name} exists already.",
            [("where", str(folder)), ("written", "nothing")],
            "choose another name; or add to it: portmesh new source, portmesh new port",
        )
    assert_domain_name(root, name)


def assert_email(email: str) -> None:
    """Raise UsageError if this is no address."""
    if not EMAIL.fullmatch(email):
        raise UsageError("--email is no address.", [("got", email)], "write it as orders@example.com")


def assert_handle(handle: str) -> None:
    """Raise UsageError if CODEOWNERS cannot name this. Empty is allowed."""
    if handle and not HANDLE.fullmatch(handle):
        facts = [("got", handle), ("allowed", "@team, @company/team or an address")]
        raise UsageError("--github is nobody whom CODEOWNERS could name.", facts, "write it as @company/orders-data")


def assert_kind(kind: str) -> None:
    """Raise UsageError if this is no kind of product."""
    if kind not in KINDS:
        raise not_allowed("kind of product", kind, KINDS)


def assert_engine(engine: str) -> None:
    """Raise UsageError if this is no engine."""
    if engine not in ENGINES:
        raise not_allowed("engine", engine, ENGINES)


def make_domain(root: Path, new: NewDomain) -> list[str]:
    """Write the files of a new domain and its lines in the lists of domains. Returns their paths.

    Raises UsageError if an answer is wrong or the folder exists, and FindingsError if the lists cannot be read. Nothing
    is written then.
    """
    assert_is_free(root, new.name)
    assert_email(new.email)
    assert_kind(new.kind)
    assert_engine(new.engine)
    assert_handle(new.github)
    for text in (new.owner, new.channel, new.description, new.purpose):
        assert_text(text)
    folder = root / "domains" / new.name
    files = {
        folder / "dbt_project.yml": render("domain/dbt_project.yml.jinja", domain=new),
        folder / "models" / f"{new.name}.yml": render("domain/group.yml.jinja", domain=new),
        folder / "README.md": render("domain/README.md.jinja", domain=new),
    }
    domains = sorted([*read_domains(root), Domain(new.name, new.github)], key=lambda domain: domain.name)
    lists = plan_lists(root, domains)
    write_all({**files, **lists.texts}, replace=set(lists.texts))
    return [str(path.relative_to(root)) for path in (*files, *lists.texts)]
