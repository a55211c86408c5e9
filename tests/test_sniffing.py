"""How a file is written, and which columns it has, is recognised; what is not certain is said."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from portmesh.errors import PortmeshError
from portmesh.scaffold.snake_case import column_names, snake_case, sql_name
from portmesh.scaffold.sniffing import Sniffed, sniff
from portmesh.scaffold.trial_landing import problems

GERMAN = """Bestell-Nr.;Straße;Betrag €;Datum;PLZ;aktiv
1;Königsallee 1;1.234,50;01.02.2026;01234;ja
2;"Am ""Markt""; hinten";n/a;13.2.2026;80331;nein
"""
GERMAN_LANDING = {
    "format": "csv", "delimiter": ";", "decimal": ",", "thousands": ".", "dates": ["%d.%m.%Y"], "nulls": ["", "n/a"],
    "true_values": ["true", "ja"], "false_values": ["false", "nein"],
}  # fmt: skip


def read(tmp_path: Path, content: str | bytes, name: str = "file.csv", **options: Any) -> Sniffed:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return sniff(file, **options)


def types(found: Sniffed) -> dict[str, str]:
    return {column.name: column.data_type for column in found.columns}


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8", None), ("utf-8-sig", None), ("cp1252", "cp1252"), ("utf-16", "utf-16")],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_german_export_is_recognised(tmp_path: Path, encoding: str, said: str | None, line_end: str) -> None:
    found = read(tmp_path, GERMAN.replace("\n", line_end).encode(encoding))
    assert found.landing == GERMAN_LANDING | ({"encoding": said} if said else {})
    assert types(found) == {
        "bestell_nr": "bigint", "strasse": "string", "betrag_eur": "decimal(18,2)", "datum": "date", "plz": "string",
        "aktiv": "boolean",
    }  # fmt: skip
    assert [column.of_file for column in found.columns] == ["Bestell-Nr.", "Straße", "Betrag €", "", "", ""]
    assert found.rows == 2
    assert ("no value", "'n/a', as in Betrag €") in found.notes
    assert problems(found) == []


def test_without_windows_signs_it_is_latin_1(tmp_path: Path) -> None:
    assert read(tmp_path, "ort\nKöln\n".encode("latin-1")).landing["encoding"] == "latin-1"


@pytest.mark.parametrize(
    ("content", "landing", "expected"),
    [
        ("a,b\n1,2\n", {}, {"a": "bigint", "b": "bigint"}),
        ("a,b\r1,2\r", {}, {"a": "bigint", "b": "bigint"}),
        ("a\tb\n1 234,5\tx\n", {"delimiter": "\t", "decimal": ",", "thousands": " "}, {"a": "decimal(18,1)"}),
        ("a|b\n1,234.5|x\n", {"delimiter": "|", "thousands": ","}, {"a": "decimal(18,1)"}),
        ("a;b\n1'234.50;x\n", {"delimiter": ";", "thousands": "'"}, {"a": "decimal(18,2)"}),
        ("Report\n\na;b\n1;x\n2;y\n", {"delimiter": ";", "skip_rows": 2}, {"a": "bigint", "b": "string"}),
        ("Orders - May\na;b\n1;x\n2;y\n3;z\n4\nTotal;10;\n", {"delimiter": ";", "skip_rows": 1}, {"b": "string"}),
        (
            'Orders\n"of a ""shop"""\na\tb\tc\n1\t"x\n2"\ty\n2\tz\tw\n',
            {"delimiter": "\t", "skip_rows": 2},
            {"a": "bigint"},
        ),
        ("a,b\n1e3,12345678901234567890\n", {}, {"a": "double", "b": "decimal(38,0)"}),
        ("a\n0.1234567\n", {}, {"a": "double"}),
        ("a,b\n2026-01-02,2026-01-02T10:00:00Z\n", {}, {"a": "date", "b": "timestamp"}),
        ("a\n2026-01-02\n03.04.2026\n", {"dates": ["%Y-%m-%d", "%d.%m.%Y"]}, {"a": "date"}),
        ("a\n02.01.2026 10:00\n", {"timestamps": ["%d.%m.%Y %H:%M"]}, {"a": "timestamp"}),
        (
            "a\n2026-01-02 10:00\n2026-01-02 10:00:01\n02.01.2026 10:00\n",
            {"timestamps": ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M"]},
            {"a": "timestamp"},
        ),
        ("a\n12/31/2026\n", {"dates": ["%m/%d/%Y"]}, {"a": "date"}),
        ("a,b\n03/04/2026,12/31/2026\n", {"dates": ["%m/%d/%Y"]}, {"a": "date", "b": "date"}),
        ("a\n02.03.26\n", {"dates": ["%d.%m.%y"]}, {"a": "date"}),
        ("a\ntrue\nfalse\n", {}, {"a": "boolean"}),
        ("a\n007\n123\n", {}, {"a": "string"}),
        ("a,b\n1,2\n1,2,3\n4\n", {}, {"a": "bigint", "b": "bigint"}),
        ('a,b\n"x\ny",2\n', {}, {"a": "string", "b": "bigint"}),
        ("name,city\nana,rome\n", {}, {"name": "string", "city": "string"}),
        ("a,b\n1,NULL\n2,3\n", {"nulls": ["", "NULL"]}, {"a": "bigint", "b": "bigint"}),
        ("a,b\nNA,1\nDE,2\n", {}, {"a": "string", "b": "bigint"}),
        (",".join(f"c{n}" for n in range(200)) + "\n" + ",".join("1" * 200) + "\n", {}, {"c199": "bigint"}),
    ],
)
def test_a_csv_is_recognised(tmp_path: Path, content: str, landing: dict[str, Any], expected: dict[str, str]) -> None:
    found = read(tmp_path, content)
    assert found.landing == {"format": "csv"} | landing
    assert types(found).items() >= expected.items()
    # What was recognised is what `portmesh land` reads; only rows of another length than the header's cannot land.
    is_ragged = "\n4\n" in content or "Total;10;" in content
    said = problems(found)
    assert [label for label, _ in said] == (["cannot be read"] if is_ragged else []), said


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("a;b\n1.234;x\n", ("ambiguous", "a: '.' may separate thousands or decimals; see the YAML")),
        (
            "a\n03/04/2026\n",
            ("ambiguous", "a: read as %d/%m/%Y; %m/%d/%Y fits too: --date-format '%m/%d/%Y'"),
        ),
        ("a,b\n13/04/2026,12/31/2026\n", ("as text", "a, b: day and month are in both orders")),
        ("a;b;;\n1;2;;\n", ("left out", "2 columns without a name")),
    ],
)
def test_what_is_not_certain_is_said(tmp_path: Path, content: str, note: tuple[str, str]) -> None:
    assert note in read(tmp_path, content).notes


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "a\n" + "1\n" * 99 + "oops\n",
            "a: 1 of 100 values is not a number\nline 101: a: 'oops' is not bigint\n"
            "to set such rows aside: data_type: bigint, and bad_rows: set_aside under landing",
        ),
        (
            "Order Day\n" + "13.01.2026\n" * 50 + "31.02.2026\nnever\n",
            "Order Day: 2 of 52 values are not dates\n"
            "line 52: order_day: '31.02.2026' is not a date as %d.%m.%Y\n"
            "line 53: order_day: 'never' is not a date as %d.%m.%Y\n"
            'to set such rows aside: data_type: date, and dates: ["%d.%m.%Y"] and bad_rows: set_aside under landing',
        ),
        (
            "a,b\n" + "2026-01-13,2026-01-13\n" * 50 + "2026-02-30,2026-01-13\n",
            "a: 1 of 51 values is not a date\nline 52: a: '2026-02-30' is not date\n"
            "to set such rows aside: data_type: date, and bad_rows: set_aside under landing",
        ),
        (
            "a\n" + "2026-01-13 10:00\n" * 50 + "13.01.2026 10:00\n" + "soon\n" * 2,
            "a: 2 of 53 values are not timestamps\n"
            "line 53: a: 'soon' is not one timestamp as %Y-%m-%d %H:%M:%S or %Y-%m-%d %H:%M or %d.%m.%Y %H:%M\n",
        ),
        (
            "a;b\n" + "12,50 €;1\n" * 30 + "5 $;1\n",
            "a: 1 of 31 values is not a number\nline 32: a: '5 $' is not decimal(18,2)\n"
            'to set such rows aside: data_type: decimal(18,2), and decimal: "," and bad_rows: set_aside under landing',
        ),
    ],
)
def test_a_few_values_that_make_a_column_a_text_are_said_with_their_lines(
    tmp_path: Path, content: str, said: str
) -> None:
    found = read(tmp_path, content)
    assert "string" in types(found).values()
    ((label, text),) = problems(found)
    assert label == "as text"
    assert text.startswith(said), text


def test_many_odd_values_make_a_column_a_text_without_a_word(tmp_path: Path) -> None:
    found = read(tmp_path, "a,b\n" + "13.01.2026,5\n" * 9 + "never,x\n")
    assert types(found) == {"a": "string", "b": "string"}
    assert (found.odd, problems(found)) == ([], [])


def test_of_a_large_file_one_odd_value_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(tmp_path, "a\n" + "1\n" * 99 + "oops\n")
    monkeypatch.setattr("portmesh.scaffold.trial_landing.MOST_BYTES", 10)
    ((_, text),) = problems(found)
    assert text.startswith("a: 1 of 100 values is not a number, such as 'oops'\nto set such rows aside")


@pytest.mark.parametrize(
    ("values", "landing", "type_"),
    [
        (["12,50 €", "1.249,00 €"], {"delimiter": ";", "decimal": ",", "thousands": ".", "currency": "€"}, "decimal"),
        (["$5", "-$1,200", "7"], {"delimiter": "|", "thousands": ",", "currency": "$"}, "bigint"),
        (["EUR 5.10", "6.20"], {"delimiter": ";"}, "string"),
        (["5 EUR", "6 EUR", "7"], {"delimiter": ";", "currency": "EUR"}, "bigint"),
        (["a €", "b €"], {"delimiter": ";"}, "string"),
    ],
)
def test_a_currency_is_no_part_of_a_number(
    tmp_path: Path, values: list[str], landing: dict[str, Any], type_: str
) -> None:
    sign = landing["delimiter"]
    found = read(tmp_path, f"price{sign}b\n" + "".join(f"{value}{sign}x\n" for value in values))
    assert found.landing == {"format": "csv"} | landing
    assert types(found)["price"].partition("(")[0] == type_
    assert problems(found) == []


def test_a_stated_format_counts(tmp_path: Path) -> None:
    found = read(tmp_path, "a,b\n03/04/2026,03/04/2026 10:00\n", formats=["%m/%d/%Y"])
    assert found.landing == {"format": "csv", "dates": ["%m/%d/%Y"], "timestamps": ["%m/%d/%Y %H:%M"]}
    assert found.notes == []


def test_a_file_without_a_header_gets_the_names_that_are_given(tmp_path: Path) -> None:
    with pytest.raises(PortmeshError, match=r"(?s)has no header.*--columns name_1,name_2"):
        read(tmp_path, "1,2\n3,4\n")
    found = read(tmp_path, "1,2\n3,4\n", header=["Shop Nr", "count"])
    assert (found.rows, found.landing) == (2, {"format": "csv", "header": False})
    assert types(found) == {"shop_nr": "bigint", "count": "bigint"}
    assert not any(column.of_file for column in found.columns)
    with pytest.raises(PortmeshError, match="--columns does not name each column"):
        read(tmp_path, "1,2\n3,4\n", header=["one"])


def test_json_lines_and_arrays_are_recognised(tmp_path: Path) -> None:
    lines = '{"orderId": 1, "tags": ["a"], "at": "2026-01-02T10:00:00", "price": 1.5, "x": {"y": 1}}\n{"orderId": 2}\n'
    found = read(tmp_path, lines, "file.jsonl")
    expected = {"order_id": "bigint", "tags": "string", "at_value": "timestamp", "price": "double", "x": "string"}
    assert (found.landing, types(found), found.rows) == ({"format": "json"}, expected, 2)
    assert ("as text", "tags, x: nested values land as their text") in found.notes
    assert read(tmp_path, f"[{lines.strip().replace(chr(10), ',')}]", "file.json").rows == 2


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    columns = {
        "Id": pa.array([1], pa.int32()), "when": pa.array([0], pa.timestamp("ns")),
        "cost": pa.array([1], pa.decimal128(9, 2)), "tags": pa.array([["a"]]), "big": pa.array([1], pa.uint64()),
    }  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "file.parquet")
    found = sniff(tmp_path / "file.parquet")
    assert types(found) == {
        "id": "int", "when_value": "timestamp", "cost": "decimal(9,2)", "tags": "string", "big": "decimal(20,0)",
    }  # fmt: skip
    assert found.landing == {"format": "parquet"}


def test_rows_that_cannot_land_are_said_with_their_lines(tmp_path: Path) -> None:
    ((label, said),) = problems(read(tmp_path, "a,b\n1,2\n1,2,3\n3,4\n"))
    assert label == "cannot be read"
    assert said.startswith("1 of 3 rows, so a batch with them is refused\nline 3: 3 values instead of 2\n")
    assert said.endswith("bad_rows: set_aside under landing")


def test_json_and_parquet_land_as_recognised(tmp_path: Path) -> None:
    assert problems(read(tmp_path, '{"orderId": 1, "tags": ["a"]}\n{"orderId": 2}\n', "file.jsonl")) == []
    pq.write_table(pa.table({"Id": pa.array([1], pa.int32()), "tags": pa.array(["a"])}), tmp_path / "file.parquet")
    assert problems(sniff(tmp_path / "file.parquet")) == []


def test_gzip_is_read(tmp_path: Path) -> None:
    packed = gzip.compress(GERMAN.encode(), mtime=0)
    assert read(tmp_path, packed, "file.csv.gz").landing == GERMAN_LANDING
    with pytest.raises(PortmeshError, match="is damaged or cut off"):
        read(tmp_path, packed[:40], "cut.csv.gz")


def test_only_the_beginning_of_a_large_file_is_read_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portmesh.scaffold.sniffing.MOST_BYTES", 1000)
    monkeypatch.setattr("portmesh.scaffold.sniffing.CHUNK", 1000)
    found = read(tmp_path, "a,b\n" + "12345,x\n" * 1000)
    assert found.notes == [("read", "the first 1.0 kB, not the whole file")]
    assert found.rows == 124
    assert types(found) == {"a": "bigint", "b": "string"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "file.csv is empty."),
        (b"  \n", "file.csv is empty."),
        (b"a;b\n", "file.csv has no rows, so nothing shows the types of its columns."),
        (b"[]", "file.csv has no rows"),
        (b"PK\x03\x04aaaa", "a zip archive or an Excel workbook"),
        (bytes(range(256)), "file.csv is no text."),
        (b"a;a;b\n1;2;3\n", "has several columns named 'a'"),
        (b"a; A\n1;2\n", "has several columns named 'A'"),
        (b"{broken\n", "It cannot be recognised how file.csv is written."),
    ],
)
def test_what_cannot_be_recognised_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(PortmeshError, match=said):
        read(tmp_path, content)


def test_an_error_of_json_names_the_file_and_no_temporary_one(tmp_path: Path) -> None:
    with pytest.raises(PortmeshError) as refused:
        read(tmp_path, '{"a": 1}\n{broken\n', "file.json")
    assert "file.json" in dict(refused.value.facts)["said"]
    assert "portmesh-sniff" not in str(refused.value)


def test_a_missing_file_and_a_wrong_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PortmeshError, match=r"(?s)cannot be read.*No such file"):
        sniff(tmp_path / "none.csv")
    with pytest.raises(PortmeshError, match=r"(?s)cannot be read.*Is a directory"):
        sniff(tmp_path)
    with pytest.raises(PortmeshError, match="--date-format is none"):
        read(tmp_path, "a\n1\n", formats=["%Q"])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Bestell-Nr.", "bestell_nr"), ("Straße", "strasse"), ("Übergröße", "uebergroesse"), ("orderID", "order_id"),
        ("HTTPStatus", "http_status"), ("  Net   price (€) ", "net_price_eur"), ("Anteil %", "anteil_percent"),
        ("café", "cafe"), ("a__b", "a_b"), ("名前", ""), ("orderId", "order_id"), ("Größe (cm)", "groesse_cm"),
    ],
)  # fmt: skip
def test_a_name_becomes_snake_case(text: str, name: str) -> None:
    assert snake_case(text) == name
    assert sql_name(text) == (name or "column")


def test_a_name_for_sql_begins_with_a_letter() -> None:
    assert (sql_name("2nd"), sql_name("名前", "column_3")) == ("column_2nd", "column_3")


def test_names_of_columns_differ_and_need_no_quotes() -> None:
    names = ["a", "A ", "a!", "2017", "order", "名前", "feed", "a_2"]
    found = column_names(names)
    assert found[:2] == ["a", "a_2"]
    assert found[3:7] == ["column_2017", "order_value", "column_6", "feed_value"]
    assert len(set(found)) == len(names)
