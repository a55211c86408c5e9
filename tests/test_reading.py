"""Files as people have them: a row is read exactly, or rejected with its line; a file is refused with the reason."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portmesh.errors import FindingsError, MissingArtifactError, PortmeshError, UsageError
from portmesh.lake import csv_files
from portmesh.lake.contract import LandedTable, read_contract
from portmesh.lake.reading import Files

ORDERS = {"order_id": "bigint", "customer": "string", "sales_value": "decimal(10,2)", "order_date": "date"}
HEADER = "order_id;customer;sales_value;order_date\n"
Row = tuple[Any, ...]


def table(columns: dict[str, str] = ORDERS, names: dict[str, str] | None = None, **landing: Any) -> LandedTable:
    """A contract for these columns; `names` are those in the file, where they differ."""
    listed = [
        {"name": name, "data_type": kind, "config": {"meta": {"from": names[name]} if name in (names or {}) else {}}}
        for name, kind in columns.items()
    ]
    landing = {"format": "csv", "delimiter": ";"} | landing
    return read_contract("shop", "orders", "shop__orders", "domains/shop/models/staging/_sources.yml", landing, listed)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., tuple[list[Row], list[tuple[int, str, str]]]]:
    """Reads a text or bytes as a file: its rows; and line, reason and text of each rejected one."""

    def read_content(content: str | bytes, wanted: LandedTable) -> tuple[list[Row], list[tuple[int, str, str]]]:
        file = tmp_path / "orders.csv"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_file(file, wanted)

    return read_content


def read_file(file: Path, wanted: LandedTable) -> tuple[list[Row], list[tuple[int, str, str]]]:
    rows: list[Row] = []
    rejected = []
    for part in Files([file], wanted).parts():
        assert part.rows.schema == wanted.schema
        rows += [tuple(row.values()) for row in part.rows.to_pylist()]
        rejected += [(one.line, one.reason, one.text) for one in part.rejected]
    return rows, rejected


Read = Callable[..., tuple[list[Row], list[tuple[int, str, str]]]]
ONE = (1, "Ann", Decimal("12.50"), date(2026, 11, 23))
LINE = "1;Ann;12.50;2026-11-23\n"


# How people write text


@pytest.mark.parametrize(
    ("content", "landing"),
    [
        (HEADER + LINE, {}),
        ((HEADER + LINE).replace("\n", "\r\n"), {}),
        ((HEADER + LINE).replace("\n", "\r"), {}),
        ((HEADER + LINE).rstrip("\n"), {}),
        ("\n" + HEADER + "\n\n" + LINE + "\n", {}),
        ("\ufeff" + HEADER + LINE, {}),
        (("\ufeff" + HEADER + LINE).encode("utf-16-le"), {"encoding": "utf-16"}),
        ((HEADER + LINE).encode("utf-16"), {"encoding": "UTF-16"}),
        (gzip.compress((HEADER + LINE).encode(), mtime=0), {}),
        ("Report of 2026\n;;\n" + HEADER + LINE, {"skip_rows": 2}),
        (LINE, {"header": False}),
        ((HEADER + LINE).replace(";", "\t"), {"delimiter": "\t"}),
        (HEADER + '"1";"Ann";"12.50";"2026-11-23"\n', {}),
        (HEADER + "'1';'Ann';12.50;2026-11-23\n", {"quote": "'"}),
        ("Order_ID ;customer;SALES_VALUE;order_date\n" + LINE, {}),
        ("order_date;sales_value;order_id;customer\n2026-11-23;12.50;1;Ann\n", {}),
        ("order_id;noise;customer;sales_value;order_date\n1;x;Ann;12.50;2026-11-23\n", {"new_columns": "ignore"}),
    ],
)
def test_the_same_row_however_it_is_written(read: Read, content: str | bytes, landing: dict[str, Any]) -> None:
    assert read(content, table(**landing)) == ([ONE], [])


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8", "utf-16", "utf-8-sig"])
def test_names_with_spaces_and_umlauts(read: Read, encoding: str) -> None:
    names = {"order_id": "Bestell-Nr.", "customer": "Größe des Käufers"}
    wanted = table({"order_id": "int", "customer": "string"}, names, encoding=encoding)
    assert read("Bestell-Nr.;Größe des Käufers\n1;Müller\n".encode(encoding), wanted) == ([(1, "Müller")], [])


def test_numbers_and_dates_as_people_write_them(read: Read) -> None:
    wanted = table(decimal=",", thousands=".", dates=["%d.%m.%Y", "%Y-%m-%d"], nulls=["", "NULL"])
    content = HEADER + "1.000;NULL;1.234,5;31.12.2026\n2;;-0,05;2026-01-02\n 3 ;x; 7 ;1.2.2026\n"
    rows, rejected = read(content, wanted)
    assert rejected == []
    assert rows == [
        (1000, None, Decimal("1234.50"), date(2026, 12, 31)),
        (2, None, Decimal("-0.05"), date(2026, 1, 2)),
        (3, "x", Decimal("7.00"), date(2026, 2, 1)),
    ]


@pytest.mark.parametrize(
    ("data_type", "text", "landing", "value"),
    [
        ("tinyint", "-128", {}, -128), ("smallint", "+7", {}, 7), ("int", "007", {}, 7),
        ("bigint", "9223372036854775807", {}, 9223372036854775807),
        ("decimal(38,0)", "9" * 38, {}, Decimal("9" * 38)), ("decimal(4,2)", "1.5000", {}, Decimal("1.50")),
        ("double", "1e-3", {}, 0.001), ("double", "1 234,5", {"decimal": ",", "thousands": " "}, 1234.5),
        ("decimal(9,2)", "1.249,00 €", {"decimal": ",", "thousands": ".", "currency": "€"}, Decimal("1249.00")),
        ("bigint", "-$ 1,200", {"thousands": ",", "currency": "$"}, -1200), ("int", "7", {"currency": "EUR"}, 7),
        ("double", "1.5\u00a0EUR", {"currency": "EUR"}, 1.5), ("string", "5 €", {"currency": "€"}, "5 €"),
        ("boolean", "TRUE", {}, True), ("boolean", "0", {}, False),
        ("boolean", "nein", {"true_values": ["Ja"], "false_values": ["Nein"]}, False),
        ("date", "2024-02-29", {}, date(2024, 2, 29)),
        ("timestamp", "2026-11-23T06:00", {}, datetime(2026, 11, 23, 6)),
        ("timestamp", "2026-11-23 06:00:00.5", {}, datetime(2026, 11, 23, 6, 0, 0, 500_000)),
        ("timestamp", "2026-11-23T06:00:00+02:00", {}, datetime(2026, 11, 23, 4)),
        ("timestamp", "23.11.2026 06:00", {"timestamps": ["%d.%m.%Y %H:%M"]}, datetime(2026, 11, 23, 6)),
        ("timestamp", "11/23/2026 6:00 PM", {"timestamps": ["%m/%d/%Y %I:%M %p"]}, datetime(2026, 11, 23, 18)),
        ("string", " a ", {}, " a "),
    ],
)  # fmt: skip
def test_a_text_becomes_its_value(read: Read, data_type: str, text: str, landing: dict[str, Any], value: Any) -> None:
    assert read(f"v\n{text}\n", table({"v": data_type}, **landing)) == ([(value,)], [])


@pytest.mark.parametrize(
    ("data_type", "text", "landing", "said"),
    [
        ("tinyint", "128", {}, "not tinyint"), ("int", "1.0", {}, "not int"), ("int", "0x1A", {}, "not int"),
        ("bigint", "4,90E+12", {}, "not bigint"), ("bigint", "1.5", {"decimal": ",", "thousands": "."}, "not bigint"),
        ("decimal(10,2)", "12,3a", {}, "not decimal(10,2)"), ("decimal(10,2)", "0.005", {}, "not decimal(10,2)"),
        ("decimal(10,2)", "123456789", {}, "not decimal(10,2)"), ("decimal(10,2)", "1e3", {}, "not decimal(10,2)"),
        ("decimal(10,2)", "12.5", {"decimal": ","}, "not decimal(10,2)"), ("decimal(2,2)", ".", {}, "not decimal(2,2)"),
        ("int", "5 $", {"currency": "€"}, "not int"), ("int", "5€5", {"currency": "€"}, "not int"),
        ("int", "€", {"currency": "€"}, "not int"), ("int", "€5€", {"currency": "€"}, "not int"),
        ("double", "NaN", {}, "not double"), ("double", "1e999", {}, "not double"),
        ("boolean", "yes", {}, "not boolean"), ("date", "2026-02-31", {}, "not date"),
        ("date", "1.2.26", {"dates": ["%d.%m.%Y"]}, "not a date as %d.%m.%Y"),
        ("date", "31.02.2026", {"dates": ["%d.%m.%Y"]}, "not a date as %d.%m.%Y"),
        ("date", "01/02/2026", {"dates": ["%d/%m/%Y", "%m/%d/%Y"]}, "not one date as %d/%m/%Y or %m/%d/%Y"),
        ("timestamp", "2026-11-23 24:00:00", {}, "not timestamp"),
        ("timestamp", "2026-11-23 06:00:00.1234567", {}, "not timestamp"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_value_is_rejected_never_rounded_never_null(
    read: Read, data_type: str, text: str, landing: dict[str, Any], said: str
) -> None:
    assert read(f"v\n{text}\n", table({"v": data_type}, **landing)) == ([], [(2, f"v: {text!r} is {said}", text)])


# Lines


def test_bad_rows_are_rejected_with_their_line_though_values_have_line_breaks(read: Read) -> None:
    content = (
        HEADER  # line 1
        + '1;"two\nlines";1.00;2026-01-01\n'  # 2
        + "\n"  # 4
        + "2;Bob;12,3a;2026-01-01\n"  # 5
        + "3;too few\n"  # 6
        + "4;too;1.00;2026-01-01;many\n"  # 7
        + '5;"a ""quoted"" word";5.00;2026-01-01\r\n'  # 8
        + HEADER  # 9
        + ";;;\n"  # 10
        + '6;"three\n\nlines";x;y\n'  # 11
        + "7;G;7.00;2026-01-07\n"  # 14
        + "8;H;8.00"  # 15
    )
    rows, rejected = read(content, table())
    assert [row[:2] for row in rows] == [(1, "two\nlines"), (5, 'a "quoted" word'), (7, "G")]
    assert rejected == [
        (5, "sales_value: '12,3a' is not decimal(10,2)", "2;Bob;12,3a;2026-01-01"),
        (6, "2 values instead of 4", "3;too few"),
        (7, "5 values instead of 4", "4;too;1.00;2026-01-01;many"),
        (9, "the header again", HEADER.rstrip()),
        (10, "no value in any column", ";;;"),
        (
            11,
            "sales_value: 'x' is not decimal(10,2); order_date: 'y' is not date",
            '6;"three\n\nlines";x;y',
        ),
        (15, "3 values instead of 4", "8;H;8.00"),
    ]


def test_the_header_again_is_found_where_all_columns_are_texts(read: Read) -> None:
    rows, rejected = read("a;b\n1;2\na;b\na;c\n", table({"a": "string", "b": "string"}))
    assert rows == [("1", "2"), ("a", "c")]
    assert rejected == [(3, "the header again", "a;b")]


def test_quotes_that_are_not_as_they_should_be(read: Read) -> None:
    content = 'size;name\n27" Monitor;1\n"5" pipe";2\nx;3\n"open;4\ny;5\n"5 ""inch""";6\n'
    rows, rejected = read(content, table({"size": "string", "name": "string"}))
    # The quote that line 5 opens ends in line 7, where something follows it.
    assert rows == [('27" Monitor', "1"), ("x", "3")]
    assert [line for line, _, _ in rejected] == [3, 5]
    rows, rejected = read('size;name\na;1\n"open;2\nb;3\nc;4\n', table({"size": "string", "name": "string"}))
    assert rows == [("a", "1"), ("b", "3"), ("c", "4")]
    assert rejected == [(3, "a quote is opened and not closed", '"open;2')]


def test_without_quotes_a_quote_is_a_sign_like_others(read: Read) -> None:
    assert read('a;b\n"x;1\n', table({"a": "string", "b": "int"}, quote="")) == ([('"x', 1)], [])


def test_a_return_inside_a_value_does_not_shift_lines(read: Read) -> None:
    rows, rejected = read('a;b\n"x\ry";1\nu\rv;2\nz;3\n', table({"a": "string", "b": "int"}))
    assert rows == [("x\ry", 1), ("z", 3)]
    assert rejected == [(3, "a carriage return inside a value without quotes", "u\rv;2")]


def test_bytes_of_another_encoding_reject_their_row_only(read: Read) -> None:
    content = b"a;b\nok;1\nM\xfcller;2\nok;3\n"
    rows, rejected = read(content, table({"a": "string", "b": "int"}))
    assert rows == [("ok", 1), ("ok", 3)]
    assert rejected == [(3, "value 1 has the byte 0xfc, which is not utf-8", "M\ufffdller;2")]
    rows, rejected = read(content.replace(b"\xfc", b"\x81"), table({"a": "string", "b": "int"}, encoding="cp1252"))
    assert [line for line, _, _ in rejected] == [3]


def test_a_row_without_a_value_in_its_key_is_rejected(read: Read) -> None:
    rows, rejected = read("a;b\n;1\n2;2\n", table({"a": "int", "b": "int"}, key=["a"]))
    assert (rows, rejected) == ([(2, 2)], [(2, "a: no value, and it belongs to the key", ";1")])


def test_two_hundred_columns(read: Read) -> None:
    columns = {f"c{number}": "int" for number in range(200)}
    content = ";".join(columns) + "\n" + "\n".join(";".join(str(row * c) for c in range(200)) for row in range(50))
    rows, rejected = read(content, table(columns))
    assert (len(rows), rejected, rows[49][199]) == (50, [], 49 * 199)


def test_rows_and_lines_are_right_across_blocks(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portmesh.lake.text_files.BLOCK", 64)
    monkeypatch.setattr(csv_files, "BLOCK", 64)
    lines = [f'{n};"line\n{n}";{n}.00;2026-01-01\n' if n % 7 else f"{n};bad;x;2026-01-01\n" for n in range(1, 400)]
    rows, rejected = read(HEADER + "".join(lines), table())
    assert [row[0] for row in rows] == [n for n in range(1, 400) if n % 7]
    # Every earlier row has two lines, except each seventh.
    assert [line for line, _, _ in rejected] == [2 + 2 * (n - 1) - (n - 1) // 7 for n in range(7, 400, 7)]


# Files that cannot be read at all


@pytest.mark.parametrize(
    ("content", "landing", "said"),
    [
        (b"", {}, "orders.csv is empty: it has no bytes."),
        (b"\n\n", {}, "orders.csv is empty: it has no header."),
        ("order_id;customer;sales_value\n", {}, "it lacks columns of the contract of shop.orders.\n\n  file"),
        ("order_id;customer;sales_value;order_dat\n", {"new_columns": "ignore"}, "if it is 'order_dat': config:"),
        (HEADER.replace(";", ","), {}, "state what separates its columns: landing: {delimiter: ...}"),
        (HEADER.rstrip() + ";extra;;\n", {}, "got       extra, (no name), (no name)"),
        (HEADER.replace("customer", "order_id"), {}, "columns named 'order_id'.\n\n  got       columns 1 and 2"),
        ("a;Größe\n".encode("latin-1"), {}, "why    value 2 has the byte 0xf6, which is not utf-8"),
        (HEADER.encode("utf-16"), {}, "got       a file that begins with the mark of utf-16\n  allowed   utf-8"),
        (HEADER, {"encoding": "utf-16"}, "got       a file that does not begin with the mark of utf-16\n  allowed"),
        (("\ufeff" + HEADER).encode(), {"encoding": "latin-1"}, "if the source now writes so: landing: {encoding: utf"),
        ('order_id;"customer\n', {}, "The header of orders.csv cannot be read."),
        (b"PK\x03\x04rest", {}, "got       a zip archive or an Excel workbook\n  allowed   csv\n"),
        (b"PAR1rest", {}, "next      landing: {format: parquet}"),
        (
            gzip.compress(HEADER.encode() * 100, mtime=0)[:-30],
            {},
            "orders.csv is a gzip file that is cut off or damaged.",
        ),
        (b"\x1f\x8bno gzip", {}, "orders.csv is a gzip file that is cut off or damaged."),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_refused(
    read: Read, content: str | bytes, landing: dict[str, Any], said: str
) -> None:
    with pytest.raises(FindingsError) as refused:
        read(content, table(**landing))
    assert said in str(refused.value)


def test_a_file_with_a_header_only_has_no_rows(read: Read) -> None:
    assert read(HEADER, table()) == ([], [])


def test_a_missing_column_is_null_where_the_contract_says_so(read: Read) -> None:
    wanted = table(missing_columns="null")
    assert read("order_id\n1\n", wanted) == ([(1, None, None, None)], [])
    with pytest.raises(FindingsError, match="it lacks columns"):
        read("customer\nAnn\n", table(missing_columns="null", key=["order_id"]))
    with pytest.raises(FindingsError, match="it lacks columns"):
        read("other\nAnn\n", table(missing_columns="null", new_columns="ignore"))


def test_a_name_twice_among_columns_that_are_ignored_is_no_matter(read: Read) -> None:
    wanted = table({"a": "int"}, new_columns="ignore")
    assert read("x;a;x\n1;2;3\n", wanted) == ([(2,)], [])


def test_what_is_not_one_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(HEADER + LINE)
    (tmp_path / "link.csv").symlink_to(file)
    (tmp_path / "copy.csv").write_text(HEADER + LINE)
    with pytest.raises(MissingArtifactError, match="There is no such file to land"):
        Files([tmp_path / "b.csv"], table())
    with pytest.raises(UsageError, match="A folder cannot land, only files"):
        Files([tmp_path], table())
    with pytest.raises(UsageError, match="This is not a file"):
        Files([Path("/dev/null")], table())
    for twin in (file, tmp_path / "link.csv"):
        with pytest.raises(UsageError, match="The same file is named twice"):
            Files([file, twin], table())
    with pytest.raises(UsageError, match="Two files have the same content"):
        list(Files([file, tmp_path / "copy.csv"], table()).parts())


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(HEADER + LINE * 100)
    files = Files([file], table())
    parts = files.parts()
    next(parts)
    file.write_text(HEADER)
    with pytest.raises(FindingsError, match=r"a.csv changed while it was read, so nothing was landed"):
        list(parts)
    assert files.facts == []


def test_facts_of_files_with_the_same_name(tmp_path: Path) -> None:
    for folder, line in (("a", LINE), ("b", LINE * 2 + "x\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "orders.csv").write_text(HEADER + line)
    files = Files([tmp_path / "a/orders.csv", tmp_path / "b/orders.csv"], table())
    read_bytes: list[int] = []
    rejected = [one.file for part in files.parts(read_bytes.append) for one in part.rejected]
    assert rejected == [str(tmp_path / "b/orders.csv")]
    assert [(facts.rows, facts.rejected) for facts in files.facts] == [(1, 0), (2, 1)]
    assert sum(read_bytes) == files.bytes == sum(facts.bytes for facts in files.facts)


# JSON

EVENTS = {"id": "bigint", "price": "decimal(10,2)", "tags": "string", "seen": "boolean"}


def events(**landing: Any) -> LandedTable:
    return table(EVENTS, format="json", **landing)


def test_json_lines(read: Read) -> None:
    content = (
        '{"id": 1, "price": 1.10, "tags": ["a", {"b": 2.50}], "seen": true}\n'
        "\n"
        '{"id": "2", "price": null, "tags": "", "seen": false}\n'
        "[1]\n"
        '{"id": 3, "price": 0.005}\n'
        '{"id": 4, "price": \n'
        '{"id": 5, "id": 6}\n'
        '{"id": 7, "tags": "\\ud800"}\n'
        '{"seen": "1", "id": 8.0}'
    )
    rows, rejected = read(content, events())
    assert rows == [(1, Decimal("1.10"), '["a",{"b":2.50}]', True), (2, None, "", False)]
    assert [(line, reason) for line, reason, _ in rejected] == [
        (4, "not an object"),
        (5, "price: '0.005' is not decimal(10,2)"),
        (6, "not JSON: expecting value, at character 20"),
        (7, "not JSON: the object has 'id' twice"),
        (8, "half a character (an unpaired surrogate)"),
        (9, "id: '8.0' is not bigint"),
    ]


def test_a_json_array(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = [{"id": n, "price": n / 4, "tags": {"näme": n}, "seen": n % 2 == 0} for n in range(300)]
    for block in (7, 1 << 20):
        monkeypatch.setattr("portmesh.lake.text_files.BLOCK", block)
        rows, rejected = read(json.dumps(objects, indent=1, ensure_ascii=False), events())
        assert (len(rows), rejected) == (300, [])
        assert rows[6] == (6, Decimal("1.50"), '{"näme":6}', True)
    rows, rejected = read('[\n{"id": 1, "price": 1, "tags": "", "seen": 1},\n{"id": "x"}\n]', events())
    assert (len(rows), rejected) == (1, [(3, "id: 'x' is not bigint", '{"id": "x"}')])
    assert read(" [ ]", events()) == ([], [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[{"id": 1},\n{"id": }]', "its array of objects is broken in line 2.\n\n  got    not JSON: expecting value"),
        ('[{"id": 1}\n{"id": 2}]', "got    '{' instead of ','"),
        ('[{"id": 1}', "got    the file ends early"),
        ("[] x", "got    'x' after the end of the array"),
        ('{"id": 1, "colour": "red"}', "got       colour"),
        ('{"id": 1}', "lacks   price, tags, seen"),
        ('{"id": 1, "ID": 2}', "several keys for the column id.\n\n  got    id, ID"),
        ("", "is empty"),
        (" \n", "is empty"),
    ],
)
def test_json_that_cannot_be_read_is_refused(read: Read, content: str, said: str) -> None:
    with pytest.raises(FindingsError) as refused:
        read(content, events())
    assert said in str(refused.value)


def test_json_whose_texts_have_decimal_commas(read: Read) -> None:
    wanted = table({"a": "decimal(10,2)", "b": "string"}, format="json", decimal=",")
    assert read('{"a": "1,5", "b": 1.5}\n{"a": 1.5, "b": "x"}', wanted)[0] == [
        (Decimal("1.50"), "1.5"),
        (Decimal("1.50"), "x"),
    ]


# Parquet


def test_parquet_with_other_order_extra_columns_and_other_types(tmp_path: Path) -> None:
    rows = pa.table(
        {
            "extra": pa.array([1, 2, 3, 4]),
            "Amount": pa.array([1.5, 2.25, 0.125, None]),
            "id": pa.array([1, 2, 3, 2**40], pa.int64()),
            "at": pa.array([datetime(2026, 1, 1)] * 4, pa.timestamp("ns", "Europe/Berlin")),
            "day": pa.array([datetime(2026, 1, 1)] * 3 + [datetime(2026, 1, 1, 5)], pa.timestamp("us")),
            "kind": pa.array(["a", "b", "a", None]).dictionary_encode(),
            "nested": pa.array([{"x": 1}, None, {"x": 2}, {"x": 3}]),
            "small": pa.array([1, 2, 3, 4], pa.int8()),
        }
    )
    pq.write_table(rows, tmp_path / "a.parquet", row_group_size=2)
    columns = {
        "id": "int", "amount": "decimal(10,2)", "at": "timestamp", "day": "date", "kind": "string",
        "nested": "string", "small": "bigint",
    }  # fmt: skip
    found, rejected = read_file(tmp_path / "a.parquet", table(columns, format="parquet", new_columns="ignore"))
    at = datetime(2026, 1, 1)
    assert found == [
        (1, Decimal("1.50"), at, date(2026, 1, 1), "a", '{"x": 1}', 1),
        (2, Decimal("2.25"), at, date(2026, 1, 1), "b", None, 2),
    ]
    assert [(line, reason) for line, reason, _ in rejected] == [
        (3, "amount: '0.125' is not decimal(10,2)"),
        (4, "id: '1099511627776' is not int; day: '2026-01-01 05:00:00.000000' is not date"),
    ]


def test_parquet_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [[1]]}), file)
    for columns, said in (({"b": "int"}, "it lacks columns"), ({"a": "int"}, "declare a as string: it takes the JSON")):
        with pytest.raises(FindingsError) as refused:
            read_file(file, table(columns, format="parquet", new_columns="ignore"))
        assert said in str(refused.value)
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(FindingsError, match="is not a Parquet file, or is not whole"):
        read_file(file, table({"a": "int"}, format="parquet"))


# Any table


VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", '"', '""', ";", "\n", "\r\n", "a;b", 'x"', "\r", " ", "order_id", "1.5", "NULL"]
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), VALUES, VALUES), max_size=30),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    block=st.sampled_from([16, 64, 1 << 20]),
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]),
)
def test_what_a_program_writes_comes_back(
    rows: list[tuple[int, str, str]],
    quoting: Any,
    line_end: str,
    block: int,
    encoding: str,
    tmp_path: Path,
) -> None:
    if quoting == csv.QUOTE_MINIMAL:
        # Python's writer does not quote a return that is not its line end, so no reader could tell it from one.
        rows = [(n, a.replace("\r", ""), b.replace("\r", "")) for n, a, b in rows]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", quoting=quoting, lineterminator=line_end)
    writer.writerows([("id", "a", "b"), *rows])
    (tmp_path / "a.csv").write_bytes(text.getvalue().encode(encoding))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("portmesh.lake.text_files.BLOCK", block)
        patch.setattr(csv_files, "BLOCK", block)
        wanted = table({"id": "bigint", "a": "string", "b": "string"}, encoding=encoding)
        found, rejected = read_file(tmp_path / "a.csv", wanted)
    assert rejected == []
    assert found == [(n, a or None, b or None) for n, a, b in rows]


BAD_ROWS = ["x;1;2\n", "1;2\n", "1;2;3;4\n", "99999999999;1;2\n", '1;"a"b;c\n', "1;a;b\rc\n"]
BAD = st.sampled_from(BAD_ROWS)
GOOD = st.integers(0, 1000).flatmap(lambda n: st.sampled_from([f"{n};a;b\n", f'{n};"a\nb";"c;d"\n', f'{n};x"y;\n']))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(GOOD | BAD, max_size=40), block=st.sampled_from([16, 64, 1 << 20]))
@pytest.mark.thorough
def test_a_dirty_file_loses_no_row_and_no_line(rows: list[str], block: int, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id;a;b\n" + "".join(rows), newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("portmesh.lake.text_files.BLOCK", block)
        patch.setattr(csv_files, "BLOCK", block)
        found, rejected = read_file(tmp_path / "a.csv", table({"id": "int", "a": "string", "b": "string"}))
    is_bad = [row in {"x;1;2\n", "1;2\n", "1;2;3;4\n", "99999999999;1;2\n", '1;"a"b;c\n', "1;a;b\rc\n"} for row in rows]
    starts = [2 + sum(row.count("\n") for row in rows[:number]) for number in range(len(rows))]
    assert [line for line, _, _ in rejected] == [start for start, bad in zip(starts, is_bad, strict=True) if bad]
    assert [text for _, _, text in rejected] == [
        row.rstrip("\r\n") for row, bad in zip(rows, is_bad, strict=True) if bad
    ]
    assert [row[0] for row in found] == [
        int(row.split(";")[0]) for row, bad in zip(rows, is_bad, strict=True) if not bad
    ]


# The contract itself


@pytest.mark.parametrize(
    ("landing", "said"),
    [
        ({"delimeter": ";"}, "landing has no key 'delimeter'. Did you mean delimiter?\n\n  file      domains/shop"),
        ({"format": "xml"}, "landing.format is not valid.\n\n  file      domains/shop/models/staging/_sources.yml\n"
                            "  where     the table shop.orders\n  got       'xml'\n  allowed   csv or json or parquet"),
        ({"format": None}, "landing.format is not valid"),
        ({"delimiter": ";;"}, "landing.delimiter is not valid"),
        ({"encoding": "latin-99"}, "allowed   an encoding that Python knows: utf-8, latin-1, cp1252, utf-16"),
        ({"dates": ["%d.%m"]}, "formats with a day, a month and a year, such as %d.%m.%Y; %d.%m lacks some"),
        ({"timestamps": ["%Q"]}, "%Q is none"),
        ({"decimal": ",", "thousands": ","}, "decimal and thousands must differ; both are ,"),
        ({"currency": "1"}, "landing.currency is not valid"),
        ({"bad_rows": "drop"}, "allowed   refuse or 'set_aside'"),
        ({"key": ["order"]}, "shop.orders has no column 'order', which its landing.key names. Did you mean order_id?"),
    ],
)  # fmt: skip
def test_a_wrong_contract_is_named_with_its_key(landing: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        table(**landing)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("columns", "names", "said"),
    [
        ({}, {}, "its YAML lists no columns"),
        ({"a": "varchar"}, {}, "got       varchar\n  allowed   string, boolean"),
        ({"a": "struct<b:int>"}, {}, "declare it as string: it takes any text, and nested JSON as its text"),
        ({"a": ""}, {}, "got       no data_type"),
        ({"a": "decimal(39,2)"}, {}, "got       decimal(39,2)"),
        ({"Größe": "int"}, {}, "for the name in the files: config: {meta: {from: 'Größe'}}"),
        ({"feed": "int"}, {}, "shop.orders: feed is not a name that a landed column can have."),
        ({"a": "int", "b": "int"}, {"b": "A"}, "two columns with the from 'a'"),
    ],
)
def test_wrong_columns_are_named(columns: dict[str, str], names: dict[str, str], said: str) -> None:
    with pytest.raises(PortmeshError) as refused:
        table(columns, names)
    assert said in str(refused.value)


def test_the_columns_that_each_landed_row_gets_may_be_described() -> None:
    assert table(ORDERS | {"_batch_id": "string", "_landed_at": "timestamp"}).schema.names == list(ORDERS)
