"""What Athena bills for a statement, for benchmarks and tests."""

from __future__ import annotations

import math

MEGABYTE = 1_000_000
MINIMUM = 10 * MEGABYTE


def billed_bytes(statement_type: str, scanned: int, state: str = "SUCCEEDED") -> int:
    """Bytes billed for `scanned` bytes read: whole megabytes, at least ten; nothing for DDL and for what failed.

    A cancelled query is billed for what it had read. Source: https://aws.amazon.com/athena/pricing. AWS does not say
    how many bytes its megabyte has; its limits for work groups count in 1,000,000.
    """
    if statement_type != "DML" or state == "FAILED":
        return 0
    return max(MINIMUM, math.ceil(scanned / MEGABYTE) * MEGABYTE)
