"""Writes a large mesh that passes the rules and builds on DuckDB, the same one for the same seed.

With its default size, it has 100 domains, 1,000 models (300 of them output ports) and 5,000 tests:

    python -m benchmarks.generated_mesh FOLDER [--domains 100] [--seed 0]
"""

from benchmarks.generated_mesh.domains import domains_of
from benchmarks.generated_mesh.parts import Domain
from benchmarks.generated_mesh.writing import write_mesh

__all__ = ["Domain", "domains_of", "write_mesh"]
