"""How fast files are read, and how much memory that takes: `python -m benchmarks.landing [--rows 20000000]`.

Writes a CSV with 15 columns, its gzip, JSON lines and Parquet with the same rows, and reads each into a batch's data
file. Clean, and with a bad row in each thousand.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

COLUMNS = {
    "line_id": "bigint", "store_id": "int", "product_id": "bigint", "quantity": "int", "sales_value": "decimal(10,2)",
    "discount": "decimal(10,2)", "weight": "double", "is_member": "boolean", "sold_on": "date", "sold_at": "timestamp",
    "channel": "string", "city": "string", "note": "string", "till": "smallint", "cashier": "string",
}  # fmt: skip
ROWS = """
select
    i as line_id, i % 500 as store_id, i * 7919 % 92000 as product_id, i % 12 as quantity,
    (i % 10000 / 100.0)::decimal(10, 2) as sales_value, (i % 300 / 100.0)::decimal(10, 2) as discount,
    i % 9973 / 7 as weight, i % 3 = 0 as is_member, date '2026-01-01' + (i % 300)::int as sold_on,
    timestamp '2026-01-01' + to_seconds(i) as sold_at, ['shop', 'web', 'app'][1 + i % 3] as channel,
    ['Aachen', 'Köln', 'Bonn'][1 + i % 3] as city, 'note ' || i % 1000 as note, (i % 90)::smallint as till,
    'cashier ' || i % 77 as cashier
from range({rows}) as t(i)
"""
FORMATS = ("csv", "quoted csv", "csv.gz", "dirty csv", "parquet", "json")


def write_file(kind: str, rows: int, folder: Path) -> Path:
    """A file with that many rows."""
    file = folder / kind.replace(" ", ".")
    query = ROWS.format(rows=rows)
    if kind == "dirty csv":
        query = query.replace("'note ' || i % 1000", "case when i % 1000 = 0 then null else 'note' end").replace(
            "i % 500 as store_id", "case when i % 1000 = 0 then 'x' else (i % 500)::varchar end as store_id"
        )
    options = {
        "csv": "format csv", "quoted csv": "format csv, force_quote *", "csv.gz": "format csv, compression gzip",
        "dirty csv": "format csv", "parquet": "format parquet", "json": "format json",
    }[kind]  # fmt: skip
    duckdb.execute(f"copy ({query}) to '{file}' ({options})")
    return file


def read_one(kind: str, file: Path) -> None:
    """Read a file as a landing does, in a process of its own, and print the figures."""
    import pyarrow.parquet as pq

    from portmesh.lake.contract import read_contract
    from portmesh.lake.reading import Files

    listed = [{"name": name, "data_type": data_type} for name, data_type in COLUMNS.items()]
    landing = {"format": "parquet" if kind == "parquet" else "json" if kind == "json" else "csv"}
    table = read_contract("bench", "lines", "lines", "bench.yml", landing, listed)
    start, rows, rejected = time.monotonic(), 0, 0
    with pq.ParquetWriter(file.with_suffix(".out"), table.schema, compression="zstd") as writer:
        for part in Files([file], table).parts():
            writer.write_table(part.rows)
            rows, rejected = rows + part.rows.num_rows, rejected + len(part.rejected)
    seconds = time.monotonic() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    memory = used.ru_maxrss / 1024
    size = file.stat().st_size / 1e6
    print(
        f"{kind:<12}{rows:>12,}{rejected:>10,}{size:>10,.0f}{seconds:>9.1f}{cpu:>9.1f}{size / seconds:>8.0f}"
        f"{rows / seconds / 1e6:>8.2f}{memory:>9,.0f}",
        flush=True,
    )
    file.with_suffix(".out").unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--formats", nargs="*", default=FORMATS)
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        read_one(arguments.read[0], Path(arguments.read[1]))
        return
    print(f"{'format':<12}{'rows':>12}{'rejected':>10}{'MB':>10}", end="")
    print(f"{'s':>9}{'CPU s':>9}{'MB/s':>8}{'M row/s':>8}{'MB RAM':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for kind in arguments.formats:
            file = write_file(kind, arguments.rows, Path(folder))
            subprocess.run([sys.executable, "-m", "benchmarks.landing", "--read", kind, str(file)], check=True)
            file.unlink()


if __name__ == "__main__":
    main()
