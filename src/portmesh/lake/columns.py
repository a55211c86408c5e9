"""Finds a contract's columns among those of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from portmesh.errors import FindingsError, nearest
from portmesh.lake.contract import Column, LandedTable, spelling

MOST_NAMES = 30


def find_columns(file: str, table: LandedTable, names: Sequence[str] | None) -> tuple[list[int | None], int]:
    """The place of each of the contract's columns in a file, none if it lacks one; and how many columns the file has.

    `names` are those of the file; none if it has no header, when the contract's order counts. Case and spaces around a
    name do not. Raises FindingsError if the file's columns do not fit the contract.
    """
    if names is None:
        return list(range(len(table.columns))), len(table.columns)
    spelled = [spelling(name) for name in names]
    wanted = {spelling(column.of_file): column for column in table.columns}
    twice = [name for name, times in Counter(spelled).items() if times > 1 and name in wanted]
    if twice:
        at = " and ".join(str(number) for number, name in enumerate(spelled, 1) if name == twice[0])
        raise FindingsError(
            f"{file} cannot be read: it has several columns named {wanted[twice[0]].of_file!r}.",
            [("got", f"columns {at} of {len(names)}"), ("allowed", "one column of each name that the contract has")],
            "rename one of them in the file, or ask the source to",
        )
    assert_no_new(file, table, [name for name, key in zip(names, spelled, strict=True) if key not in wanted], names)
    assert_none_missing(file, table, [column for key, column in wanted.items() if key not in spelled], names)
    return [spelled.index(key) if key in spelled else None for key in wanted], len(names)


def assert_no_new(file: str, table: LandedTable, new: Sequence[str], names: Sequence[str]) -> None:
    """Raises FindingsError if a file has columns that the contract has not, and the contract does not ignore them."""
    if not new or table.contract.new_columns == "ignore" or _is_one_text(table, names):
        return
    raise FindingsError(
        f"{file} cannot be read: the contract of {table.label} does not have all of its columns.",
        [
            ("file", table.path),
            ("got", _listed(new)),
            ("allowed", _listed([column.of_file for column in table.columns])),
        ],
        "add them to the YAML's columns, with from: if the file's name is another; or landing: {new_columns: ignore}",
    )


def assert_none_missing(file: str, table: LandedTable, missing: Sequence[Column], names: Sequence[str]) -> None:
    """Raises FindingsError if a file lacks columns of the contract, and the contract does not fill them with nulls."""
    in_key = [column for column in missing if column.name in table.contract.key]
    if not missing or (table.contract.missing_columns == "null" and not in_key and len(missing) < len(table.columns)):
        return
    near = nearest(missing[0].of_file, names, cutoff=0.5)
    facts = [
        ("file", table.path),
        ("lacks", _listed([column.of_file for column in missing])),
        ("got", _listed(names) if any(names) else "no column"),
    ]
    way_out = f"fix the file, or the columns in {table.path}; or landing: {{missing_columns: null}}"
    if in_key or len(missing) == len(table.columns):
        way_out = f"fix the file, or the columns in {table.path}"
    if near:
        way_out = f"if it is {near!r}: config: {{meta: {{from: {near!r}}}}} at the column {missing[0].name}"
    if _is_one_text(table, names):
        way_out = f"state what separates its columns: landing: {{delimiter: ...}}; it is {table.contract.delimiter!r}"
    raise FindingsError(f"{file} cannot be read: it lacks columns of the contract of {table.label}.", facts, way_out)


def _is_one_text(table: LandedTable, names: Sequence[str]) -> bool:
    """Whether the header was not split, because its delimiter is another."""
    return table.contract.format == "csv" and len(names) == 1 and len(table.columns) > 1


def _listed(names: Sequence[str]) -> str:
    shown = [name or "(no name)" for name in names[:MOST_NAMES]]
    return ", ".join(shown) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")
