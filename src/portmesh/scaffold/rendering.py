"""Makes the text of a file from a template and facts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from portmesh.errors import UsageError
from portmesh.templates import environment

PLAIN = re.compile(r"[A-Za-z_][\w ./()+@-]*[\w.)]|[A-Za-z]", re.ASCII)
NO_TEXT = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def render(template: str, **facts: Any) -> str:
    """The text of a template of this package, with one line end at the end."""
    templates = environment("portmesh.scaffold")
    templates.filters |= {"yaml": yaml_text, "yaml_value": yaml_value}
    return templates.get_template(template).render(**facts).rstrip("\n") + "\n"


def yaml_text(text: str) -> str:
    """A text as YAML reads it back on one line, also inside braces; in quotes only where it needs them."""
    is_plain = PLAIN.fullmatch(text) and text.lower() not in NO_TEXT
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def yaml_value(value: Any) -> str:
    """A text, number, truth value, date, or list or mapping of them, on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {yaml_value(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(yaml_value(each) for each in value)}]"
    if isinstance(value, date):
        return value.isoformat()
    return yaml_text(value) if isinstance(value, str) else json.dumps(value)


def assert_text(text: str) -> None:
    """Raise UsageError if dbt would not take this as text."""
    if not text.isprintable():
        raise UsageError("This has a character that cannot be printed.", [("got", text)], "leave it out")
    if found := re.search(r"\{\{|\{%|\{#", text):
        facts = [("got", text), ("problem", f"dbt would run what follows {found[0]}")]
        raise UsageError("This is not plain text.", facts, f"leave out {found[0]}")
