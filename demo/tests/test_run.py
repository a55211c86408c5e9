"""What `make demo` prints."""

from __future__ import annotations

import subprocess
import textwrap

from tests.mesh import REPOSITORY


def test_the_demo_shows_each_port_and_the_error_and_not_each_check() -> None:
    log = """\
        11:45:20  Concurrency: 2 threads (target='local')
        11:45:21  10 of 241 START sql output_port model marketing.campaigns ...................... [RUN]
        11:45:22  10 of 241 OK created sql output_port model marketing.campaigns . [published 27 rows in 0.81s]
        11:45:46  236 of 241 PASS not_null_promotions_store_id ................... [PASS in 0.01s]
        11:45:47  237 of 241 ERROR creating sql output_port model orders.order_lines ............. [ERROR in 1.20s]
        11:45:47  238 of 241 SKIP test not_null_order_lines_basket_id ............................ [SKIP]
        11:45:47  239 of 241 SKIP relation orders__internal.int_orders__baskets .................. [SKIP]
        11:45:47  240 of 241 SKIP relation orders.baskets ........................................ [SKIP]
          orders.order_lines was not published.
        11:45:48  Completed with 1 error, 0 partial successes, and 0 warnings:
        11:45:48
        11:45:48  Failure in model order_lines
          orders.order_lines was not published.
        11:45:48  Done. PASS=126
    """
    assert _demo_lines(log) == [
        "marketing.campaigns published 27 rows in 0.81s",
        "orders.order_lines not published in 1.20s",
        "orders.baskets waits for a port that was not published",
        "Completed with 1 error, 0 partial successes, and 0 warnings:",
        "Failure in model order_lines",
        "orders.order_lines was not published.",
    ]
    assert _demo_lines("Landed 112 batches.\n\n  lake   .lake\n") == ["Landed 112 batches.", "lake .lake"]


def _demo_lines(log: str) -> list[str]:
    command = ["awk", "-f", str(REPOSITORY / "demo" / "lines.awk")]
    shown = subprocess.run(command, input=textwrap.dedent(log), capture_output=True, text=True, check=True).stdout
    return [" ".join(line.split()) for line in shown.splitlines() if line.strip()]
