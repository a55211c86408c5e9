"""Measures profiling: `python -m benchmarks.profile [--rows 20000000]`.

Generates a Parquet file of order lines with 15 columns (identifiers, codes, texts, amounts, times, 5 % nulls in one
column) and profiles it with two references, in this process. Prints the seconds of each step and the peak of memory.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from portmesh.scaffold.profile import profile, scratch
from portmesh.scaffold.profile_references import Target
from portmesh.scaffold.proposals import propose

LINES = """
    select
        i // 5 as order_id,
        cast(i % 5 + 1 as smallint) as line_number,
        (i // 5) * 7919 % 400000 as customer_id,
        cast(hash(i) % 90000 as bigint) as product_id,
        cast(hash(i + 1) % 400 as int) as store_id,
        ['web', 'store', 'phone'][cast(hash(i + 2) % 3 + 1 as int)] as channel,
        'SKU-' || lpad(cast(hash(i) % 90000 as varchar), 8, '0') as product_code,
        case when hash(i + 3) % 20 > 0 then 'note ' || hash(i + 4) % 1000000 end as remark,
        cast(hash(i + 5) % 20 + 1 as int) as quantity,
        cast(hash(i + 6) % 100000 / 100.0 as decimal(10, 2)) as sales_value,
        cast(hash(i + 7) % 2000 / 100.0 as decimal(10, 2)) as discount,
        hash(i + 8) % 10000 / 10000.0 as weight_kilos,
        timestamp '2025-01-01' + to_seconds(i) as ordered_at,
        date '2025-01-01' + cast(i // 86400 as int) as order_date,
        timestamp '2025-01-02 06:00:00' + to_days(cast(i // 604800 * 7 as int)) as _landed_at
    from range({rows}) as numbers(i)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="portmesh_bench_") as folder:
        lines, products = Path(folder) / "lines.parquet", Path(folder) / "products.parquet"
        # In a process of its own, the generator's memory would not count; freeing it here comes close.
        with duckdb.connect() as made:
            made.execute(f"set memory_limit = '1GB'; copy ({LINES.format(rows=rows)}) to '{lines}'")
            made.execute(f"copy (select i as product_id from range(90000) as numbers(i)) to '{products}'")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        target = Target(
            "products", "catalogue.products", "ref('catalogue', 'products')", f"'{products}'", ("product_id",)
        )
        steps: list[tuple[str, float]] = []
        started = time.perf_counter()
        with scratch() as connection:
            found = profile(
                connection, f"'{lines}'", "order_lines", [target], lambda what: steps.append((what, _now()))
            )
        ended = time.perf_counter()
    times = [at for _, at in steps] + [ended]
    for (what, at), until in zip(steps, times[1:], strict=True):
        print(f"| {what} | {until - at:.1f} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    proposed = propose(found)
    print(f"| **all**: {found.rows:,} rows, {len(found.columns)} columns | **{ended - started:.1f}** |")
    print(f"\nPeak memory {peak / 1e6:.2f} GB (before: {before / 1e6:.2f} GB); {len(proposed.checks)} checks proposed.")
    print(f"Key: {', '.join(proposed.key)}. DuckDB {duckdb.__version__}, Python {sys.version.split()[0]}.")


def _now() -> float:
    return time.perf_counter()


if __name__ == "__main__":
    main()
