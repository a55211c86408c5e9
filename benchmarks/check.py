"""Measures `portmesh check` on the generated mesh: `python -m benchmarks.check [FOLDER]`.

Writes the mesh to a new folder and prints the processor time of each step, for the first check and for one whose SQL
was all parsed before. The mesh gets one finding, so that the rules are seen to look at it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.generated_mesh import write_mesh
from portmesh.dbt import install_packages
from portmesh.rules.checked_mesh import CheckedMesh
from portmesh.rules.checking import find_findings
from portmesh.rules.kept_reads import KeptReads
from portmesh.rules.texts import needs_dbt
from portmesh.state import MeshState, current_state

MODEL = "domains/domain_000/models/intermediate/int_domain_000__by_name.sql"


def measure(state: MeshState, root: Path, kept: Path) -> None:
    started_at = time.process_time()
    reads = KeptReads(kept)
    found = find_findings(CheckedMesh(state.manifest, root, datetime.now(UTC).date(), state.failed, reads))
    reads.save()
    codes = sorted({finding.code for finding in found})
    print(f"rules       {time.process_time() - started_at:6.2f} s   {len(found)} findings: {', '.join(codes)}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path, nargs="?")
    folder = options.parse_args().folder or Path(tempfile.mkdtemp(prefix="portmesh_check_"))
    if not (folder / "dbt_project.yml").is_file():
        write_mesh(folder, 100, 0)
    (folder / MODEL).write_text("select 1 as one from domain_001.no_such_port\n")
    os.chdir(folder)
    install_packages()
    for _ in range(2):
        started_at = time.process_time()
        state = current_state(wanted=needs_dbt())
        print(f"dbt's parse {time.process_time() - started_at:6.2f} s   {len(state.manifest['nodes']):,} nodes")
        measure(state, folder, folder / "target/portmesh/check.json")


if __name__ == "__main__":
    main()
