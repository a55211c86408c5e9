"""Writes the mesh's text as Markdown for dbt's docs page, where every pipe, escaped or in code, ends a table cell."""

from __future__ import annotations

import re
from urllib.parse import quote

# Characters that are Markdown or HTML anywhere in a line; `&` only if it starts an entity.
SPECIAL = re.compile(r"[\\`*\[\]<~|]|(?<![A-Za-z0-9])_|&(?=#?\w+;)", re.ASCII)
# Text at the start of a line that would start a block other than a paragraph.
BLOCK = re.compile(r"^(?:[#>=+<|~-]|\d(?=\d*[.)])|\*(?=[\s*])|_(?=[\s_])|`(?=``)|\[(?=[^\]]*\]:))")
CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


def one_line(text: str) -> str:
    """The text without line breaks and repeated spaces."""
    return " ".join(text.split())


def plain(text: str) -> str:
    """A name or other text to be shown literally, in a line or a table cell."""
    return SPECIAL.sub(_entity, one_line(text))


def code(text: str) -> str:
    """The text as code, or as plain text if it contains characters that code in a cell cannot show."""
    text = one_line(text)
    return f"`{text}`" if text and not re.search(r"[`|]", text) else plain(text)


def cell(text: str) -> str:
    """Prose with inline Markdown, such as a description, for a table cell."""
    text = CODE.sub(lambda found: plain(found[2]) if "|" in found[2] else found[0], one_line(text))
    return re.sub(r"\\?\|", "&#124;", text)


def paragraph(text: str) -> str:
    """Prose with inline Markdown, as a paragraph."""
    return BLOCK.sub(_entity, one_line(text))


def link(label: str, target: str) -> str:
    """A link whose label and target are escaped."""
    return f"[{plain(label)}]({quote(target, safe='#!/:@+')})"


def docs_block(name: str, content: str) -> str:
    """A dbt docs block. dbt renders its content as Jinja, so text that looks like Jinja is escaped."""
    content = content.strip("\n")
    if re.search(r"{[{%#]", content):
        quoted = content.replace("{%", '{% endraw %}{{ "{%" }}{% raw %}')
        content = f"{{% raw %}}\n{quoted}\n{{% endraw %}}"
    return f"{{% docs {name} %}}\n{content}\n{{% enddocs %}}\n"


def _entity(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"
