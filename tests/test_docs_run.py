"""Does what README and docs show: writes the files, runs the commands, and compares their output with the page.

A block marked `console` has commands after `$` and their output, in which `…` matches anything; with `exit=1` the last
command must end with that code. A block with `title="…"` is that file, or a change to it. All other YAML and SQL must
at least parse.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt
from sqlfluff.core import FluffConfig, Linter

from tests.mesh import REPOSITORY
from tests.repository import git_files

# Output that differs from run to run.
VARIABLE = (
    (r"^\d\d:\d\d:\d\d {2}", ""),
    (r"\d{1,2} [A-Z][a-z]{2} (\d{4} )?\d\d:\d\d UTC", "TIME"),
    (r"_\d{8}_\d{6}_[0-9a-f]{6}", "_VERSION"),
    (r"\b\d+\.\d+s\b", "SECONDS"),
    (r"(< 1|\b\d+) min\b", "AGE"),
)
LINTER = Linter(FluffConfig.from_path(str(REPOSITORY / ".sqlfluff"), overrides={"dialect": "duckdb", "rules": "LT01"}))
LOOK = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """One block of code of a page, and where it begins."""

    page: Path
    line: int
    language: str
    options: dict[str, str]
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and token.map:
            language, _, rest = token.info.partition(" ")
            options = dict(re.findall(r'(\w+)="?([^"\s]+)"?', rest))
            yield Block(page, token.map[0] + 1, language, options, token.content)


def steps(block: Block) -> list[tuple[str, str, int]]:
    """Each command of a console block, what the page shows of its output, and its exit code; of others, none."""
    # A command goes on after a backslash at the end of a line.
    text = block.text.replace("\\\n", "") if block.language == "console" else ""
    parts = [part.partition("\n") for part in text.split("$ ") if part]
    codes = [0] * (len(parts) - 1) + [int(block.options.get("exit", 0))]
    return [(command, shown, code) for (command, _, shown), code in zip(parts, codes, strict=False)]


def without_variables(text: str) -> str:
    for pattern, word in VARIABLE:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text


def differs(shown: str, printed: str) -> bool:
    """Whether a command printed something else than the page shows; a page that shows nothing claims nothing."""
    want = without_variables(shown).replace("…", "...").strip() + "\n"
    got = without_variables(printed).strip() + "\n"
    return bool(shown.strip()) and not doctest.OutputChecker().check_output(want, got, LOOK)


def typed(command: str, folder: Path) -> tuple[int, str]:
    """The exit code of a command and what it prints, in a terminal of 100 columns without colour."""
    environment = os.environ | {
        "PATH": f"{REPOSITORY / '.venv/bin'}:{os.environ['PATH']}", "COLUMNS": "100", "NO_COLOR": "1",
        "DBT_USE_COLORS": "false", "PORTMESH_ENVIRONMENT": "prod",
    }  # fmt: skip
    for name in ("DBT_TARGET_PATH", "DBT_LOG_PATH", "PORTMESH_DATABASE", "PORTMESH_LAKE"):
        environment.pop(name, None)
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, text=True, check=False, timeout=1800,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


def write(block: Block, file: Path) -> None:
    """A file as the block has it; or, of a `diff`, the file with the lines with `+` instead of those with `-`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if block.language != "diff":
        file.write_text(block.text)
        return
    lines = block.text.splitlines()
    old, new = ("\n".join(line[1:] for line in lines if line[:1] in signs) for signs in (" -", " +"))
    text = file.read_text()
    assert text.count(old) == 1, f"{block}: {file.name} does not have once: {old}"
    file.write_text(text.replace(old, new))


def follow(page: Path, folder: Path) -> int:
    """Write the page's files and type its commands, in their order. Returns the number of commands."""
    done = 0
    for block in blocks(page):
        if "title" in block.options:
            write(block, folder / block.options["title"])
        for command, shown, ends_with in steps(block):
            code, printed = typed(command, folder)
            if differs(shown, printed) or code != ends_with:
                pytest.fail(f"{block}: {command} ended with {code} and printed\n{printed}", pytrace=False)
            done += 1
    return done


def fault(block: Block) -> str | None:
    """Why an example cannot be what it says it is."""
    if block.language == "yaml":
        try:
            yaml.safe_load(block.text)
        except yaml.YAMLError as error:
            return str(error)
    if block.language == "sql":
        found = LINTER.lint_string(block.text).get_violations()
        return next((one.desc() for one in found if one.rule_code() in ("PRS", "TMP")), None)
    if block.language in ("", "bash", "sh") and not block.text.startswith(" "):
        shell = block.text.replace("…", "x")
        checked = subprocess.run(["bash", "-n", "-c", shell], capture_output=True, text=True, check=False)
        return checked.stderr or None
    return None


@pytest.mark.nightly
def test_examples_are_what_they_say() -> None:
    found = [block for name in git_files("*.md") for block in blocks(REPOSITORY / name)]
    assert len(found) > 80
    assert {str(block): fault(block) for block in found if fault(block)} == {}


@pytest.mark.parametrize(
    ("language", "text"),
    [("yaml", "to: {a: b"), ("yaml", "- to: ref('a', 'b')\n  - c"), ("sql", "selct 1 frm"), ("", "if true; then")],
)
def test_an_example_that_is_something_else_is_found(language: str, text: str) -> None:
    assert fault(Block(Path("page.md"), 1, language, {}, text)) is not None


def test_other_output_than_shown_is_found() -> None:
    assert not differs("3 rows\n…\nDone in 1.02s", "3 rows\nanything\nDone in 0.33s")
    assert differs("3 rows", "4 rows")
