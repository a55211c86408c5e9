"""Text of a mesh in Markdown, as dbt's docs page reads it: a cell ends at every pipe, escaped or in code."""

from __future__ import annotations

import re
from urllib.parse import quote

# What would be Markdown or HTML anywhere in a line; `&` only where it would begin an entity.
SPECIAL = re.compile(r"[\\`*\[\]<~|]|(?<![A-Za-z0-9])_|&(?=#?\w+;)", re.ASCII)
# What would begin a block that is no paragraph, or one that swallows what comes after it.
BLOCK = re.compile(r"^(?:[#>=+<|~-]|\d(?=\d*[.)])|\*(?=[\s*])|_(?=[\s_])|`(?=``)|\[(?=[^\]]*\]:))")
CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


def one_line(text: str) -> str:
    """Without line breaks, or spaces that Markdown would drop."""
    return " ".join(text.split())


def plain(text: str) -> str:
    """A name or other text that is shown as it stands, in a line or a cell."""
    return SPECIAL.sub(_entity, one_line(text))


def code(text: str) -> str:
    """Shown as code, or as plain text where code of a cell cannot hold it; empty where there is none."""
    text = one_line(text)
    return f"`{text}`" if text and not re.search(r"[`|]", text) else plain(text)


def cell(text: str) -> str:
    """Prose with Markdown in its line, such as a description, in a cell."""
    text = CODE.sub(lambda found: plain(found[2]) if "|" in found[2] else found[0], one_line(text))
    return re.sub(r"\\?\|", "&#124;", text)


def paragraph(text: str) -> str:
    """Prose with Markdown in its line, as a paragraph."""
    return BLOCK.sub(_entity, one_line(text))


def link(label: str, target: str) -> str:
    """A link; neither part can end it."""
    return f"[{plain(label)}]({quote(target, safe='#!/:@+')})"


def docs_block(name: str, content: str) -> str:
    """A docs block of dbt, which renders its content as Jinja: what looks like Jinja in it is quoted."""
    content = content.strip("\n")
    if re.search(r"{[{%#]", content):
        quoted = content.replace("{%", '{% endraw %}{{ "{%" }}{% raw %}')
        content = f"{{% raw %}}\n{quoted}\n{{% endraw %}}"
    return f"{{% docs {name} %}}\n{content}\n{{% enddocs %}}\n"


def _entity(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"
