"""Compares what the ways to replace a port's rows on Athena cost:
`python -m demo.benchmarks.replacing [--rows 29386140]`.

Rebuilds a table of that many order lines, and replaces 4 % of its keys; then a reader sums two columns. AWS documents
that Athena only writes position delete files, whatever the table's properties are. The rig's Trino removes a file if
all of its rows are deleted, so the rebuild deletes in two halves, each of which leaves position delete files. Prints
a Markdown table.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.rigs import machine, rig_up
from demo.benchmarks.engines import INCREMENT, land
from rig.billing import billed_bytes
from tests.engine_athena import Athena
from tests.engine_glue import empty_lake, lake
from tests.mesh import Mesh

TABLE = "create table raw.{name} with (table_type = 'iceberg', is_external = false, location = '{place}') as {rows}"
COPIES = "select line_id + {landed} * n as line_id, {others} from raw.lines cross join unnest(sequence(0, {last})) t(n)"
OTHERS = ("basket_id", "household_id", "store_id", "product_id", "quantity", "week", "sales_value", "landed_at")
IN_INCREMENT = "line_id between {first} and {last} and line_id in (select line_id from raw.increment)"
INSERT = "insert into raw.port select * from raw.increment"
DELETE = f"delete from raw.port where {IN_INCREMENT}"
COUNT = f"select count(*) from raw.port where {IN_INCREMENT}"
MERGE = """
merge into raw.port as old using (
    select *, true as goes from (select distinct line_id from raw.increment) cross join (select {nothing}) as nothing
    union all select line_id, {others}, false from raw.increment
) as new on old.line_id = new.line_id and new.goes and old.line_id between {first} and {last}
when matched then delete
when not matched and not new.goes then insert (line_id, {others}) values (new.line_id, {values})
"""
DELETE_ALL = ("delete from raw.port where line_id % 2 = 0", "delete from raw.port where line_id % 2 = 1")
FORMS = {
    "rebuild: delete, insert": (*DELETE_ALL, "insert into raw.port select * from raw.rebuilt"),
    "**rebuild: a new table**": ("drop table raw.port", TABLE),
    "keys replaced: count, delete, insert": (COUNT, DELETE, INSERT),
    "**keys replaced: delete, insert**": (DELETE, INSERT),
    "keys replaced: merge": (MERGE,),
}
HEAD = "| | scanned MB | billed MB | a reader then scans MB |\n|---|---|---|---|"
READ = "select sum(sales_value), count(distinct household_id) from raw.port"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=29_386_140)
    given = options.parse_args()
    with rig_up(), tempfile.TemporaryDirectory() as folder:
        empty_lake()
        landed = land(Mesh(Path(folder), "athena"))
        bench = Bench(Athena(Path(folder)), landed, max(given.rows // landed, 1))
        print(f"{bench.rows:,} rows; {machine()}.\n\n{HEAD}")
        bench.make("rebuilt", bench.all_rows())
        bench.make("increment", f"select * from raw.rebuilt where line_id <= {int(bench.rows * INCREMENT)}")
        for name, statements in FORMS.items():
            bench.make("port", "select * from raw.rebuilt")
            told = [bench.scanned(one) for one in statements]
            billed = sum(billed_bytes("DML", one) for one in told if one is not None)
            scanned = sum(one or 0 for one in told)
            read = bench.scanned(READ) or 0
            print(f"| {name} | {scanned / 1e6:.1f} | {billed / 1e6:.0f} | {read / 1e6:.1f} |", flush=True)


class Bench:
    """The table raw.port and the tables that replace it."""

    def __init__(self, engine: Athena, landed: int, copies: int) -> None:
        self._engine, self._landed, self._copies, self._made = engine, landed, copies, 0
        self.rows = landed * copies

    def all_rows(self) -> str:
        return COPIES.format(landed=self._landed, last=self._copies - 1, others=", ".join(OTHERS))

    def make(self, name: str, rows: str) -> int:
        """Replace a table. Returns the bytes scanned."""
        self._engine.run(f"drop table if exists raw.{name}")
        self._made += 1
        place = f"{lake()}/raw/{name}/{self._made}"
        return int(self._engine.run(TABLE.format(name=name, place=place, rows=rows)).data_scanned_in_bytes)

    def scanned(self, statement: str) -> int | None:
        """The bytes that a statement scanned; 0 for DDL."""
        if statement == TABLE:
            return self.make("port", "select * from raw.rebuilt")
        if statement.startswith("drop"):
            return None
        others, values = ", ".join(OTHERS), ", ".join(f"new.{one}" for one in OTHERS)
        nothing = ", ".join(f"null as {one}" for one in OTHERS)
        last = int(self.rows * INCREMENT)
        sql = statement.format(first=1, last=last, others=others, values=values, nothing=nothing)
        return int(self._engine.run(sql).data_scanned_in_bytes)


if __name__ == "__main__":
    main()
