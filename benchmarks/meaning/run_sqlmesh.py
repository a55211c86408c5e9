"""What SQLMesh says about pairs of models, in an environment with `requirements.txt`: see others.py.

All pairs are in one project, with types for all tables (external_models.yaml). It is applied to production as it was;
then a plan of an environment is made with the models as they are, with the automatic categories of SQLMesh.

Usage: python run_sqlmesh.py FOLDER < pairs.json > answers.json
"""

import json
import sys
from pathlib import Path

import duckdb
from sqlmesh import Context

CONFIG = """
gateways:
  local:
    connection: {{type: duckdb, database: '{path}'}}
default_gateway: local
model_defaults: {{dialect: duckdb, start: '2026-01-01'}}
plan:
  auto_categorize_changes: {{sql: full, external: full, python: full, seed: full}}
"""
KINDS = {"view": "VIEW", "table": "FULL", "ephemeral": "EMBEDDED", "asked": "FULL"}


def write(folder, given, side):
    """The project with all pairs as they were (`before`) or are (`after`)."""
    models = folder / "models"
    models.mkdir(parents=True, exist_ok=True)
    for old in models.glob("*"):
        old.unlink()
    (folder / "config.yaml").write_text(CONFIG.format(path=folder / "compared.duckdb"))
    external = [{"name": f"tpcds.{name}", "columns": columns} for name, columns in given["tables"].items()]
    (folder / "external_models.yaml").write_text(json.dumps(external))
    for pair in given["pairs"]:
        for name, (sql, how) in pair[side].items():
            plain = sql.replace("{{source:", "tpcds.").replace("{{ref:", "shop.").replace(":}}", "")
            (models / f"{name}.sql").write_text(f"MODEL (name shop.{name}, kind {KINDS[how]});\n{plain}\n")


def main():
    folder = Path(sys.argv[1]).resolve()
    given = json.load(sys.stdin)
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(folder / "compared.duckdb")) as made:
        made.execute("create schema if not exists tpcds")
        for name, columns in given["tables"].items():
            listed = ", ".join(f"{column} {type_}" for column, type_ in columns.items())
            made.execute(f"create or replace table tpcds.{name} ({listed})")
    write(folder, given, "before")
    context = Context(paths=str(folder))
    context.plan(no_prompts=True, auto_apply=True, skip_tests=True, skip_linter=True, empty_backfill=True, no_diff=True)
    context.close()
    write(folder, given, "after")
    context = Context(paths=str(folder))
    plan = context.plan_builder("dev", skip_tests=True, skip_linter=True).build()
    found = {new.name.replace('"', "").split(".")[-1]: new for new, _ in plan.context_diff.modified_snapshots.values()}
    answers = {}
    for pair in given["pairs"]:
        new = found.get(f"{pair['id']}_asked")
        category = new.change_category.name if new is not None and new.change_category is not None else "none"
        breaks = category in ("BREAKING", "INDIRECT_BREAKING", "FORWARD_ONLY")
        answers[pair["id"]] = {"category": category, "columns": pair["columns"] if breaks else []}
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
