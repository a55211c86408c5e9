"""Measures the rules at the start of a run, on a mesh of 1,000 models with 10 columns.

    python -m benchmarks.rules [models]

Writes the mesh to a temporary folder, parses it with dbt (which takes most of the time but does not count),
and prints the median of five runs of `check_rules` and the number of nodes it looked at.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from tests.mesh import Mesh

DOMAINS = 20
PORTS_OF_A_DOMAIN = 10
RUNS = 5
TIMED = """
{%- if execute -%}
  {%- for run in range(RUNS) -%}
    {%- set started_at = modules.datetime.datetime.now() -%}
    {%- do check_rules() -%}
    {%- do log('seconds ' ~ (modules.datetime.datetime.now() - started_at).total_seconds(), info=true) -%}
  {%- endfor -%}
  {%- do log('looked at ' ~ graph.nodes | length ~ ' nodes', info=true) -%}
{%- endif -%}
"""


def columns(count: int = 10) -> str:
    key = "- {name: id, data_type: bigint, description: The key., data_tests: [unique, not_null]}"
    measure = (
        "- {{name: amount_{0}, data_type: double, description: Euro., "
        "data_tests: [{{accepted_range: {{arguments: {{min_value: 0}}}}}}]}}"
    )
    landed = "- {name: landed_at, data_type: timestamp, description: When it landed.}"
    return "\n".join([key, *(measure.format(n) for n in range(count - 2)), landed])


def write_mesh(mesh: Mesh, models: int) -> None:
    """Write domains in which the next domain reads each port, and the other models read ports too."""
    domains = [f"domain_{n}" for n in range(DOMAINS)]
    mesh.set_up(*domains, root={"on-run-start": [TIMED.replace("RUNS", str(RUNS))]})
    for n, domain in enumerate(domains):
        reader, read = domains[(n + 1) % DOMAINS], domains[n - 1]
        for port in range(PORTS_OF_A_DOMAIN):
            mesh.port(
                f"{domain}/port_{n}_{port}",
                "select 1 as id",
                columns(),
                meta=f"consumers: [{{name: {reader}, purpose: Reports., until: 2099-12-31}}]",
            )
        for other in range(models // DOMAINS - PORTS_OF_A_DOMAIN):
            name = f"int_{domain}__{other}"
            source = f"port_{(n - 1) % DOMAINS}_{other % PORTS_OF_A_DOMAIN}"
            sql = f"select * from {{{{ ref('{read}', '{source}') }}}}"
            mesh.write(f"domains/{domain}/models/intermediate/{name}.sql", sql)


def main(models: int = 1000) -> None:
    """Run the benchmark and print the median of its runs."""
    with tempfile.TemporaryDirectory() as folder:
        mesh = Mesh(Path(folder))
        write_mesh(mesh, models)
        assert mesh.dbt("deps").ok
        mesh.write("domains/domain_0/models/intermediate/one.sql", "select 1 as one")
        built = mesh.dbt("run", "--select", "one")
        assert built.ok, built.output
        lines = built.output.splitlines()
        seconds = [float(line.removeprefix("seconds ")) for line in lines if line.startswith("seconds ")]
        assert len(seconds) == RUNS
        found, looked = (next(line for line in lines if line.startswith(text)) for text in ("Found ", "looked at "))
        print(f"{found}\n{looked}\n{statistics.median(seconds):.2f} s, the median of {RUNS}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
