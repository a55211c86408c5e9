"""Markdown pages with dbt docs blocks, rendered from the mesh."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from portmesh.catalog.limits import failures_allowed
from portmesh.catalog.markdown import cell, code, docs_block, link, one_line, paragraph, plain
from portmesh.checks import Check, key_of
from portmesh.mesh import Consumer, Freshness, Mesh, Port, Product
from portmesh.text import count

ENDS_SOON = ": **ends soon**, agree on a new date with the owner"
EXPIRED = ": **expired**"
GENERATED = "<!-- Written by `portmesh catalog` from the YAML of the domains: change that, then run it again. -->"


def render_pages(mesh: Mesh, readmes: Mapping[str, str]) -> dict[str, str]:
    """File name and text of each page: the home, and one file per product with its ports.

    `readmes` are the domains' README texts by domain; a product's page ends with their sections.
    """
    environment = _environment()
    environment.filters["last_day"] = _last_day_on(datetime.now(UTC).date())
    shared: dict[str, Any] = {"mesh": mesh, "generated": GENERATED}
    home = environment.get_template("overview.md.jinja")
    pages = {"overview.md": home.render(consumers=_by_consumer(mesh), **shared)}
    template = environment.get_template("product.md.jinja")
    for product in mesh.products:
        notes = readme_sections(readmes.get(product.name, ""))
        pages[f"{product.name}.md"] = template.render(product=product, notes=notes, **shared)
    return {name: _as_file(text) for name, text in pages.items()}


def undated(page: str) -> str:
    """A page without what it says of the day on which it was written, so that no day brings it out of step."""
    return page.replace(ENDS_SOON, "").replace(EXPIRED, "")


def _as_file(text: str) -> str:
    """As it is read again: one kind of line end, and nothing that UTF-8 has not."""
    return re.sub(r"\r\n?", "\n", text).encode("utf-8", "replace").decode("utf-8").rstrip("\n") + "\n"


def readme_sections(readme: str) -> str:
    """What a README says from its first section on, one heading level deeper; the page has the rest itself.

    Links into the repository become plain text, for the catalog is one file without the repository beside it.
    """
    _, found, rest = f"\n{readme}".partition("\n## ")
    if not found:
        return ""
    lines, is_code = [], False
    for line in f"## {rest}".rstrip().splitlines():
        is_code ^= line.lstrip().startswith(("```", "~~~"))
        lines.append(line if is_code else _without_relative_links(re.sub(r"^(#{1,5}) ", r"\1# ", line)))
    return "\n".join(lines)


def _without_relative_links(line: str) -> str:
    return re.sub(r"!?\[([^\]]+)\]\((?!https?:|mailto:|#!)[^)]*\)", r"\1", line)


def _by_consumer(mesh: Mesh) -> list[tuple[str, list[Port]]]:
    found: dict[str, list[Port]] = defaultdict(list)
    for product in mesh.products:
        for port in product.ports:
            for consumer in port.meta.consumers:
                found[consumer.name].append(port)
    return sorted(found.items())


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("portmesh.catalog"),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["docs"] = lambda name, caller: docs_block(name, str(caller()))
    environment.filters |= {
        "by_column": _by_column,
        "cell": cell,
        "check_text": _check_text,
        "code": code,
        "consumer_link": _consumer_link,
        "consumer_name": lambda consumer, mesh: _consumer_link(consumer.name, mesh),
        "counted": count,
        "key_of": key_of,
        "failures_allowed": failures_allowed,
        "one_line": one_line,
        "owner": _owner,
        "paragraph": paragraph,
        "plain": plain,
        "port_link": _port_link,
        "product_link": _product_link,
        "service_level": _service_level,
        "stated": lambda text: text or "not stated",
    }
    return environment


# How things of the mesh are written; the links are those of dbt's docs site.


def _product_link(product: Product) -> str:
    return link(product.name, f"#!/overview/{product.name}")


def _port_link(port: Port, text: str = "") -> str:
    return link(text or port.name, f"#!/model/{port.id}")


def _consumer_link(name: str, mesh: Mesh) -> str:
    return link(name, f"#!/overview/{name}") if name in mesh.product_names else plain(name)


def _owner(product: Product) -> str:
    email = link(product.owner_email, f"mailto:{product.owner_email}") if product.owner_email else ""
    return ", ".join(filter(None, (plain(product.owner_name), email, plain(product.meta.channel)))) or "not stated"


def _last_day_on(today: date) -> Callable[[Consumer, Port], str]:
    """When a consumer's access ends, as rule PM105 has it: of two entries of one name the later holds."""

    def last_day(consumer: Consumer, port: Port) -> str:
        if not consumer.until:
            return "no end"
        text = f"{consumer.until:%-d %b %Y}"
        if any(each.until is None or each.until > consumer.until for each in port.meta.of(consumer.name)):
            return text
        if consumer.until < today:
            return text + EXPIRED
        return text + (ENDS_SOON if consumer.until <= today + timedelta(days=30) else "")

    return last_day


def _service_level(freshness: Freshness | None) -> str:
    if not freshness:
        return "none stated"
    late = [
        f"{word} after {plain(str(period))}"
        for word, period in (("late", freshness.warn_after), ("overdue", freshness.error_after))
        if period
    ]
    return f"the newest {code(freshness.column)} is {', '.join(late)}" if late else "none stated"


def _by_column(checks: Iterable[Check]) -> list[tuple[Check, list[str]]]:
    """Checks that differ in their column only as one, by dimension."""
    found: dict[str, tuple[Check, list[str]]] = {}
    for check in sorted(checks, key=lambda check: check.dimension):
        _, columns = found.setdefault(repr(check.model_copy(update={"column": ""})), (check, []))
        columns += [check.column] if check.column else []
    return list(found.values())


def _check_text(check: Check) -> str:
    return " ".join(filter(None, (check.kind, ", ".join(_argument(*pair) for pair in check.arguments.items()))))


def _argument(name: str, value: object) -> str:
    return f"{name} {', '.join(map(str, value)) if isinstance(value, list) else value}"
