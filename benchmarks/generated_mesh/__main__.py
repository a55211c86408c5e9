"""`python -m benchmarks.generated_mesh FOLDER`: see the package."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.generated_mesh import write_mesh


def main() -> None:
    """Write the mesh to a folder that is empty or does not exist, and say what it has."""
    options = argparse.ArgumentParser(description="Writes a large mesh for measurements.")
    options.add_argument("folder", type=Path)
    options.add_argument("--domains", type=int, default=100)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    if chosen.folder.exists() and any(chosen.folder.iterdir()):
        options.error(f"{chosen.folder} is not empty")
    domains = write_mesh(chosen.folder, chosen.domains, chosen.seed)
    models = sum(len(domain.models) for domain in domains)
    print(
        f"{len(domains)} domains, {models} models, {sum(domain.tests for domain in domains)} tests in {chosen.folder}"
    )
    print(f"next: cd {chosen.folder} && dbt deps && dbt build --select {domains[0].name}")


if __name__ == "__main__":
    main()
