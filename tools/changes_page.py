"""Write docs/rules/changes.md from the rules on changes and their pairs: `python -m tools.changes_page`."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from portmesh.contracts.diff import report
from portmesh.contracts.diff.difference import Rule

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/rules/changes.md"
LINE = re.compile(r"PM\d{3} (?P<level>\w+) [\w.]+ ?(?P<about>[^:]*): (?P<text>.*)", re.DOTALL)
HEAD = """# Rules on changes

`portmesh diff` judges each change of a port by these rules ([changes](../changes.md)). A change is as severe as the
worst of its differences. Each line below is a pair of before and after in `tests/diff/`.
`python -m tools.changes_page` writes this page.

{summary}
"""


def examples(code: str) -> list[tuple[str, str, str]]:
    """(case, level, what is said) of each pair that shows the rule."""
    file = ROOT / f"tests/diff/{code}.yml"
    pairs = list(yaml.safe_load_all(file.read_text(encoding="utf-8"))) if file.is_file() else []
    found = []
    for pair in pairs:
        lines = pair["expect"] or []
        own = [line for line in ([lines] if isinstance(lines, str) else lines) if line.startswith(code)]
        said = [match for line in own if (match := LINE.fullmatch(line))]
        found += [(pair["case"], one["level"], one["text"]) for one in said] or [(pair["case"], "", "")] * (not lines)
    return found


def section(rule: Rule) -> str:
    rows = [f"| {_cell(case)} | {level or 'no change'} | {_cell(text)} |" for case, level, text in examples(rule.code)]
    table = ["", "| change | level | it says |", "|---|---|---|", *rows] if rows else []
    return "\n".join([f"## {rule.code}", f"**{rule.title}.** {rule.why}", *table])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def levels(code: str) -> str:
    found = {level for _, level, _ in examples(code) if level}
    return ", ".join(level for level in ("patch", "minor", "undetermined", "major") if level in found)


def page() -> str:
    rules = sorted(report.RULES.values(), key=lambda rule: rule.code)
    rows = [f"| [{one.code}](#{one.code.lower()}) | {one.title} | {levels(one.code)} |" for one in rules]
    summary = "\n".join(["| rule | change | level |", "|---|---|---|", *rows])
    return "\n\n".join([HEAD.format(summary=summary).strip(), *map(section, rules)]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
