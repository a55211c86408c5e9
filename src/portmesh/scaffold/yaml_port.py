"""The language of a port in YAML alone: what may stand in `config.meta.model` of a port."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, ValidationError

from portmesh.errors import UsageError, not_allowed

PLACE = "config.meta.model"
"""Where the block stands in the YAML of a port."""

SIMPLE_NAME = re.compile(r"[a-z_][a-z0-9_]*")
SQL_INSTEAD = "or write the port in SQL (docs/analyst.md#a-port-without-sql)"


def problem(key: str, message: str, got: str = "", allowed: str = "", fix: str = "") -> UsageError:
    """An error in the block, at a key such as `steps[2].add.is_fuel`."""
    facts = [("key", f"{PLACE}.{key}" if key else PLACE)]
    facts += [("got", got)] * bool(got) + [("allowed", allowed)] * bool(allowed)
    return UsageError(message, facts, fix)


def unknown(key: str, what: str, got: str, allowed: Collection[str], fix: str = "") -> UsageError:
    """An error for a name that is not there, which suggests the near one."""
    found = not_allowed(what, got, sorted(allowed))
    facts = [("key", f"{PLACE}.{key}" if key else PLACE), *(fact for fact in found.facts if fact[1])]
    return UsageError(found.message, facts, fix)


def in_file(error: UsageError, path: str) -> UsageError:
    """The same error with its file as the first fact."""
    facts = [fact for fact in error.facts if fact[0] != "next"]
    return UsageError(error.message, [("file", path), *facts], dict(error.facts).get("next", ""))


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _written(value: Any) -> Any:
    """A number or true and false as they are written in an expression."""
    return str(value).lower() if isinstance(value, bool | int | float) else value


Name = Annotated[str, Field(pattern=f"^{SIMPLE_NAME.pattern}$", description="Lower-case letters, digits and _.")]
Names = Annotated[list[Name], BeforeValidator(_listed, json_schema_input_type=str | list[str])]
Expression = Annotated[
    str,
    BeforeValidator(_written, json_schema_input_type=str | int | float | bool),
    Field(description="A plain expression, such as `coalesce(discount, 0) * 100`."),
]
Columns = Annotated[dict[Name, Expression], Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Step(_Strict):
    why: str = Field("", description="Why the step is there; it becomes a comment in the SQL.")
    name: Name | None = Field(None, description="What the step's result is called in the SQL.")


class JoinStep(_Step):
    """Add the columns of another table to each row."""

    join: Name = Field(description="An input, or a table under `prepare`.")
    key: Annotated[
        list[Name] | dict[Name, Name],
        BeforeValidator(_listed, json_schema_input_type=str | list[str] | dict[str, str]),
    ] = Field(
        [],
        description="The key: columns of the same name, or `{column here: column there}`. Empty for a one-row table.",
    )
    how: Annotated[str, Field(pattern="^(left|inner)$")] = Field(
        "left", description="`left` keeps every row; `inner` keeps only rows that have a match."
    )
    matches: Annotated[str, Field(pattern="^(one|many)$")] = Field(
        "one", description="`one`: at most one row matches, so no row is repeated. `many`: rows may be repeated."
    )
    when: Expression | None = Field(None, description="What else must hold for two rows to match.")


class StackStep(_Step):
    """Put the rows of other tables below, by the names of their columns."""

    stack: Names = Field(description="Inputs, or tables under `prepare`.", min_length=1)


class KeepStep(_Step):
    """Keep the rows for which all of this holds."""

    keep: Annotated[list[Expression], BeforeValidator(_listed, json_schema_input_type=str | list[str])] = Field(
        min_length=1
    )


class AddStep(_Step):
    """Add columns, or replace those of the same name."""

    add: Columns


class GroupStep(_Step):
    """Make one row of all rows with the same key. `group: []` makes one row of all rows."""

    group: Names = Field(description="The key.")
    add: dict[Name, Expression] = Field({}, description="Columns with aggregates, such as `sum(sales_value)`.")


class WindowStep(_Step):
    """Add columns that look at the other rows of the same key."""

    window: Columns = Field(description="Such as `sum(value)`, `row_number()`, `previous(value)`.")
    per: Names = Field([], description="The key. Empty: all rows.")
    by: Annotated[list[str], BeforeValidator(_listed, json_schema_input_type=str | list[str])] = Field(
        [], description="The order: `purchase_date`, `sales_value desc`."
    )


class LatestStep(_Step):
    """Keep one row of each key: the one with the highest values of `by`."""

    latest: Names = Field(description="The key.", min_length=1)
    by: Names = Field(min_length=1)


class EarliestStep(_Step):
    """Keep one row of each key: the one with the lowest values of `by`."""

    earliest: Names = Field(description="The key.", min_length=1)
    by: Names = Field(min_length=1)


STEPS: Mapping[str, type[_Step]] = {
    "join": JoinStep,
    "stack": StackStep,
    "keep": KeepStep,
    "add": AddStep,
    "group": GroupStep,
    "window": WindowStep,
    "latest": LatestStep,
    "earliest": EarliestStep,
}
"""The kinds of steps, by the key that says which kind it is. `add` is last looked for, because a group has it too."""


def _kind(value: Any) -> str | None:
    if isinstance(value, _Step):
        return next(kind for kind, model in STEPS.items() if type(value) is model)
    found = [kind for kind in STEPS if isinstance(value, Mapping) and kind in value]
    return min(found, key=lambda kind: kind == "add", default=None)


Step = Annotated[
    Annotated[JoinStep, Tag("join")]
    | Annotated[StackStep, Tag("stack")]
    | Annotated[KeepStep, Tag("keep")]
    | Annotated[AddStep, Tag("add")]
    | Annotated[GroupStep, Tag("group")]
    | Annotated[WindowStep, Tag("window")]
    | Annotated[LatestStep, Tag("latest")]
    | Annotated[EarliestStep, Tag("earliest")],
    Discriminator(_kind),
]


class PreparedTable(_Strict):
    """A table that is made from an input before it is joined or stacked."""

    from_: Name = Field(alias="from", description="An input, or a table that is prepared above.")
    steps: list[Step] = Field(min_length=1)


class PortModel(_Strict):
    """`config.meta.model` of a port that is written in YAML alone."""

    inputs: dict[Name, str] = Field(
        min_length=1,
        description="What the port reads, each under a short name: `products: catalogue.products` (a port of another "
        "domain), `lines: order_lines` (a port or model of this domain), `sales: stg_tills__transactions`.",
    )
    new_batches_of: Name | None = Field(
        None, description="The input of which only batches are read that are not published yet. Makes it incremental."
    )
    prepare: dict[Name, PreparedTable] = Field({}, description="Tables that are made first, from inputs.")
    from_: Name | None = Field(None, alias="from", description="What `steps` start from. By default the first input.")
    steps: list[Step] = Field([], description="What happens to the rows, in this order.")
    columns: dict[Name, Expression] = Field(
        {}, description="Columns of the contract that are renamed or computed. All others are taken by their name."
    )
    grain: Names = Field(
        min_length=1, description="The columns that identify a row. The port must check them with unique or "
        "unique_combination."
    )  # fmt: skip


def read_port_model(block: object) -> PortModel:
    """The block as an object. Raises UsageError with its first problem."""
    try:
        return PortModel.model_validate(block)
    except ValidationError as error:
        raise _first_problem(block, error) from error


def _first_problem(block: object, error: ValidationError) -> UsageError:
    found = error.errors()[0]
    location = _of_the_block(found["loc"])
    key, last = _dotted(location), str(location[-1]) if location else ""
    value = _value_at(block, location)
    if found["type"] == "extra_forbidden":
        return unknown(_dotted(location[:-1]), "key", last, _keys_at(found["loc"][:-1]))
    if found["type"].startswith("union_tag"):
        keys = [str(k) for k in value] if isinstance(value, Mapping) else [str(value)]
        near = [name for k in keys for name in difflib.get_close_matches(k, STEPS, n=1)]
        said = f" Did you mean {near[0]}?" if near else ""
        return problem(key, f"This is not a step.{said}", ", ".join(keys), ", ".join(STEPS), SQL_INSTEAD[3:])
    if found["type"] == "invalid_key":
        said = "YAML reads on, off, yes, no, y and n as true or false"
        return problem(_dotted(location[:-1]), f"A key is not a text: {said}.", str(found["input"]), fix="quote it")
    if found["type"] == "missing":
        return problem(_dotted(location[:-1]), f"{last} is missing.", fix=f"add {last}")
    if found["type"] == "string_pattern_mismatch":
        choices = re.fullmatch(r"\^\((.*)\)\$", str(found.get("ctx", {}).get("pattern", "")))
        allowed = choices[1].replace("|", ", ") if choices else "lower-case letters, digits and _"
        what = f"There is no {last} {value!r}." if choices else f"{found['input']!r} is not a name."
        return problem(key, what, str(found["input"]), allowed)
    return problem(key, f"{last or 'The block'} is not well-formed: {found['msg']}.", str(found["input"]))


def _of_the_block(location: Sequence[int | str]) -> list[int | str]:
    """Pydantic's location, without the kinds of steps and of values that it names too."""
    kinds = {index + 2 for index, part in enumerate(location) if part == "steps"}
    return [part for index, part in enumerate(location) if index not in kinds and not str(part).endswith("]")]


def _dotted(location: Sequence[int | str]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _value_at(block: object, location: Sequence[int | str]) -> object:
    value: Any = block
    for part in location:
        if isinstance(value, Mapping) and part not in value:
            return value
        value = value[part]
    return value


def _keys_at(location: Sequence[int | str]) -> list[str]:
    """The keys that are allowed at one of pydantic's locations."""
    kind = location[location.index("steps") + 2] if "steps" in location else ""
    model: type[BaseModel] = STEPS[str(kind)] if kind else PreparedTable if "prepare" in location else PortModel
    return [field.alias or name for name, field in model.model_fields.items()]
