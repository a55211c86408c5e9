"""Makes the text of a file from a template and facts."""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from ruamel.yaml import YAML

from portmesh.errors import UsageError

PLAIN = re.compile(r"[A-Za-z_][\w ./()+@-]*[\w.)]|[A-Za-z]", re.ASCII)
NO_TEXT = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def render(template: str, **facts: Any) -> str:
    """The text of a template of this package, with one line end at the end."""
    environment = Environment(
        loader=PackageLoader("portmesh.scaffold"),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
<<<<<<< HEAD
    environment.filters |= {"yaml": yaml_text, "yaml_value": _yaml_value}
=======
    environment.filters |= {"yaml": yaml_text, "flow": yaml_flow}
>>>>>>> eccaa55 (Tests of what is proposed, of the port that is made, and of flights)
    return environment.get_template(template).render(**facts).rstrip("\n") + "\n"


def yaml_text(text: str) -> str:
    """A text as YAML reads it back on one line, also inside braces; in quotes only where it needs them."""
    is_plain = PLAIN.fullmatch(text) and text.lower() not in NO_TEXT
    return text if is_plain else json.dumps(text, ensure_ascii=False)


<<<<<<< HEAD
def _yaml_value(value: Any) -> str:
    """A text, number, truth value or list of them on one line."""
    if isinstance(value, list):
        return f"[{', '.join(_yaml_value(each) for each in value)}]"
    return yaml_text(value) if isinstance(value, str) else json.dumps(value)
=======
def yaml_flow(value: Any) -> str:
    """Any value as YAML on one line."""
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style, writer.width = True, 100_000
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    text = StringIO()
    writer.dump(value, text)
    return text.getvalue().removesuffix("...\n").strip()
>>>>>>> eccaa55 (Tests of what is proposed, of the port that is made, and of flights)


def assert_text(text: str) -> None:
    """Raise UsageError if dbt would not take this as text."""
    if not text.isprintable():
        raise UsageError("This has a character that cannot be printed.", [("got", text)], "leave it out")
    if found := re.search(r"\{\{|\{%|\{#", text):
        facts = [("got", text), ("problem", f"dbt would run what follows {found[0]}")]
        raise UsageError("This is not plain text.", facts, f"leave out {found[0]}")
