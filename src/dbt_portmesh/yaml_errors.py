"""Makes dbt say what to do about YAML that it cannot read.

A day that does not exist, such as 2027-06-31, would end dbt with an error of Python that names no file.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

import yaml  # type: ignore[import-untyped]
from dbt.clients import yaml_helper
from dbt.clients.checked_load import SafeLoader  # type: ignore[attr-defined]

NO_DATE = "is no date or time"

INDENT = "indent the line like the other keys of its entry"
NEXT_STEPS = {
    NO_DATE: "write one that exists, or put it in quotes if it is a text",
    "mapping values are not allowed": f"{INDENT}, or put quotes around a value that has a colon and a space",
    "did not find expected '-' indicator": INDENT,
    "did not find expected key": INDENT,
    "did not find expected ',' or": "close the bracket, or put quotes around a value that has a comma or a bracket",
    "cannot start any token": "put quotes around a value that begins with @, ` or %",
}
"""What to do, by what stands in the message of the YAML library."""


def add_yaml_errors() -> None:
    """Change what dbt says, once in a process."""
    if hasattr(yaml_helper.contextualized_yaml_error, "__wrapped__"):
        return
    SafeLoader.add_constructor("tag:yaml.org,2002:timestamp", _date_of)
    yaml_helper.contextualized_yaml_error = _with_next_step(yaml_helper.contextualized_yaml_error)


def _date_of(loader: Any, node: yaml.ScalarNode) -> object:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError as error:
        raise yaml.constructor.ConstructorError(
            None, None, f"{node.value} {NO_DATE}: {error}", node.start_mark
        ) from error


def _with_next_step(explain: Any) -> Any:
    @wraps(explain)
    def explain_with_next_step(contents: str, error: yaml.MarkedYAMLError) -> str:
        text: str = explain(contents, error)
        step = _next_step(contents, error)
        return f"{text}\n\nnext   {step}" if step else text

    return explain_with_next_step


def _next_step(contents: str, error: yaml.MarkedYAMLError) -> str:
    assert error.problem_mark
    number = error.problem_mark.line
    # An error may be found at the end of the file, behind its last line.
    (line,) = contents.splitlines()[number : number + 1] or [""]
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return f"line {number + 1} begins with a tab: write spaces instead"
    return next((step for part, step in NEXT_STEPS.items() if part in str(error)), "")
