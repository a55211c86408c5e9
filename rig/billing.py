"""Calculates what Athena bills for a statement, for benchmarks and tests."""

from __future__ import annotations

import math
import re

MEGABYTE = 1_000_000
MINIMUM = 10 * MEGABYTE
_DELETES_ALL = re.compile(r"\s*(/\*.*?\*/\s*)*delete\s+from\s+\S+\s*", re.IGNORECASE | re.DOTALL)


def billed_bytes(statement_type: str, scanned: int, state: str = "SUCCEEDED") -> int:
    """Bytes billed for `scanned` bytes read: whole megabytes, at least ten; none for DDL and failed statements.

    A cancelled query is billed for what it had read. Source: https://aws.amazon.com/athena/pricing. AWS does not say
    how many bytes a billed megabyte has; its work group limits use 1,000,000.
    """
    if statement_type != "DML" or state == "FAILED":
        return 0
    return max(MINIMUM, math.ceil(scanned / MEGABYTE) * MEGABYTE)


def is_free_on_the_rig_alone(sql: str) -> bool:
    """Whether a statement deletes all rows. Trino then drops the files; AWS documents a scan and position delete files.

    Source: https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-delete.html. A deletion by keys is the same
    on both, so the rig reports its real bytes.
    """
    return _DELETES_ALL.fullmatch(sql) is not None
