"""What recce says about pairs of dbt models, in an environment with `requirements.txt`: see others.py.

All pairs are in one dbt project, once as they were (target-base) and once as they are (target), with catalogs, as
recce's documentation asks for. Then its impact analysis (breaking changes and column-level lineage) is asked once.

Usage: python run_recce.py FOLDER < pairs.json > answers.json
"""

import json
import sys
from pathlib import Path

import duckdb
from dbt.cli.main import dbtRunner

PROFILE = """
compared:
  target: current
  outputs:
    base: {{type: duckdb, path: {path}, schema: base}}
    current: {{type: duckdb, path: {path}, schema: current}}
"""
PROJECT = """
name: compared
version: "1.0"
profile: compared
models:
  compared: {+materialized: view}
"""


def write(folder, given, side):
    """The dbt project with all pairs as they were (`before`) or are (`after`)."""
    models = folder / "models"
    models.mkdir(parents=True, exist_ok=True)
    for old in models.glob("*"):
        old.unlink()
    (folder / "dbt_project.yml").write_text(PROJECT)
    (folder / "profiles.yml").write_text(PROFILE.format(path=folder / "compared.duckdb"))
    tables = [
        {"name": name, "columns": [{"name": column, "data_type": type_} for column, type_ in columns.items()]}
        for name, columns in given["tables"].items()
    ]
    (models / "sources.yml").write_text(
        json.dumps({"sources": [{"name": "tpcds", "schema": "tpcds", "tables": tables}]})
    )
    for pair in given["pairs"]:
        for name, (sql, how) in pair[side].items():
            config = "{{ config(materialized='ephemeral') }}\n" if how == "ephemeral" else ""
            (models / f"{name}.sql").write_text(
                config
                + sql.replace("{{source:", "{{ source('tpcds', '").replace("{{ref:", "{{ ref('").replace(":}}", "') }}")
            )


def run(folder, target):
    """Build the views and write manifest and catalog."""
    place = ["--project-dir", str(folder), "--profiles-dir", str(folder), "--target", target, "--quiet"]
    path = ["--target-path", "target-base" if target == "base" else "target"]
    for command in (["run"], ["docs", "generate"]):
        result = dbtRunner().invoke([*command, *place, *path])
        failed = [one.node.name for one in getattr(result.result, "results", []) if one.status == "error"]
        print(f"{target} {command[0]}: {result.success}, failed {failed} {result.exception or ''}", file=sys.stderr)


def main():
    folder = Path(sys.argv[1]).resolve()
    given = json.load(sys.stdin)
    folder.mkdir(parents=True, exist_ok=True)
    # Here others.py has put the home folder: nothing about this run is sent anywhere.
    (folder / ".recce").mkdir(exist_ok=True)
    (folder / ".recce" / "profile.yml").write_text("{user_id: benchmark, anonymous_tracking: false}")
    with duckdb.connect(str(folder / "compared.duckdb")) as made:
        made.execute("create schema if not exists tpcds")
        for name, columns in given["tables"].items():
            listed = ", ".join(f"{column} {type_}" for column, type_ in columns.items())
            made.execute(f"create or replace table tpcds.{name} ({listed})")
    for side, target in (("before", "base"), ("after", "current")):
        write(folder, given, side)
        run(folder, target)

    from recce.adapter.dbt_adapter import DbtAdapter

    adapter = DbtAdapter.load(project_dir=str(folder), profiles_dir=str(folder), target="current")
    answers = {}
    for pair in given["pairs"]:
        answers[pair["id"]] = answer(adapter, f"model.compared.{pair['id']}_asked", pair)
    json.dump(answers, sys.stdout)


CLL = {}


def answer(adapter, node_id, pair):
    """{category, columns}: the columns of the model that recce says are impacted; all of them if its rows are."""
    if "all" not in CLL:
        CLL["all"] = adapter.get_cll(change_analysis=True, no_upstream=True)
    found = CLL["all"]
    node = found.nodes.get(node_id)
    if node is None:
        return {"category": "none", "columns": []}
    category = node.change_category or "none"
    impacted = node.impacted or category in ("breaking", "unknown")
    columns = [column.name.lower() for column in found.columns.values() if column.table_id == node_id]
    return {"category": category, "columns": pair["columns"] if impacted else sorted(columns)}


if __name__ == "__main__":
    main()
