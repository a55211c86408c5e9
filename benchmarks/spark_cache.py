"""Compares settings of Iceberg's cache: what Spark reads while a table is replaced. `python -m benchmarks.spark_cache`

Spark and Trino take turns to replace all rows of a table, which always has 50,000 rows of one version. Meanwhile one
process per kind of statement reads it in a session with the setting. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from benchmarks.reading import SELECTS, Reader, connect_spark, connect_trino, tally, watch
from benchmarks.rigs import machine, rig_up

TABLE = "spark_cache.board"
CATALOG = "spark.sql.catalog.glue."
OFF, ON = (f"{CATALOG}cache-enabled", "false"), (f"{CATALOG}cache-enabled", "true")
SETTINGS = {
    "`cache-enabled` false": (OFF,),
    "`cache-enabled` true": (ON,),
    "`cache.expiration-interval-ms` 1000": (ON, (f"{CATALOG}cache.expiration-interval-ms", "1000")),
    "`cache.expiration-interval-ms` 1": (ON, (f"{CATALOG}cache.expiration-interval-ms", "1")),
}


def make_table(rows: int) -> None:
    """Create the table with version 1."""
    cursor = connect_spark((OFF,)).cursor()
    for statement in (
        "create schema if not exists spark_cache",
        f"drop table if exists {TABLE}",
        f"create table {TABLE} using iceberg as select id as n, 1L as version from range({rows})",
    ):
        cursor.execute(statement)


def publisher(rows: int, pause: float) -> Callable[[int], bool]:
    """Replace all rows with those of a version: even versions on Spark, odd ones on Trino."""
    spark, trino = connect_spark((OFF,)), connect_trino()

    def publish(version: int) -> bool:
        time.sleep(pause)
        if version % 2:
            trino.cursor().execute(f"update {TABLE} set version = {version}").fetchall()
        else:
            spark.cursor().execute(f"insert overwrite {TABLE} select id as n, {version}L as version from range({rows})")
        return True

    return publish


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--publications", type=int, default=60, help="publications for each setting")
    options.add_argument("--reads", type=int, default=500, help="reads for each setting, at least")
    options.add_argument("--rows", type=int, default=50_000)
    options.add_argument("--pause", type=float, default=0.1, help="seconds between two publications, and two reads")
    given = options.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    with rig_up():
        print(f"{given.rows:,} rows; {machine()}.\n")
        print("| setting | statement | reads | errors | mixed | stale | s a read |\n|---|---|---|---|---|---|---|")
        for name, settings in SETTINGS.items():
            make_table(given.rows)
            readers = [Reader("Spark", select, settings) for select in SELECTS]
            publish = publisher(given.rows, given.pause)
            all_reads, attempts, _ = watch(TABLE, publish, given.publications, given.reads, readers, given.pause)
            for reader, reads in all_reads.items():
                seen = tally(reads, attempts, given.rows)
                counts = f"{seen.reads:,} | {seen.errors.total()} | {seen.mixed} | {seen.stale}"
                print(f"| {name} | {reader.select} | {counts} | {seen.seconds:.2f} |")
                for kind, count in seen.errors.most_common(2):
                    print(f"<!-- {name}: {reader.select}: {count} {kind} -->")


if __name__ == "__main__":
    main()
