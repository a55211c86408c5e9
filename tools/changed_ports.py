"""Print the ports whose checks changed, one per line, as dbt selectors: orders.output_ports.order_lines.

`state:modified` selects a changed check but not its port. So the check would run alone, on production's rows, and the
port would not be audited with it.

Usage: python tools/changed_ports.py STATE_FOLDER
Exit codes: 0 success (even if there is no such port), 2 dbt could not list the changes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

# Arguments of `dbt ls`.
LIST = (
    *("--resource-type", "test", "--select", "state:modified,config.materialized:test"),
    *("--output", "json", "--output-keys", "attached_node", "fqn"),
)


def ports_of(listed: Iterable[str]) -> list[str]:
    """The ports' selectors, from lines of `dbt ls --output json` with `attached_node` and `fqn`."""
    ports = set()
    for line in listed:
        if not line.startswith("{"):
            continue
        check = json.loads(line)
        # dbt leaves out empty keys: a singular test has no attached_node.
        if (port := check.get("attached_node")) and "output_ports" in check["fqn"]:
            _, package, name, *version = port.split(".")
            ports.add(".".join([package, "output_ports", name, *version]))
    return sorted(ports)


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    dbt = str(Path(sys.executable).with_name("dbt"))
    call = [dbt, "--quiet", "ls", *LIST, "--state", sys.argv[1]]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"dbt could not list what changed:\n{done.stdout}{done.stderr}", file=sys.stderr)
        return 2
    print("\n".join(ports_of(done.stdout.splitlines())))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
