"""Lint the domains' SQL with sqlfluff. Fails if there is no file to lint.

Lints models and singular tests. Macros and generic tests are not linted: they contain only parts of statements, and
sqlfluff reads them as empty files.

Usage: python tools/lint_sql.py [FILE …]
Without files, or if one of them is not a model or singular test (models use macros), all are linted.
Exit codes: 0 success, 1 findings, 2 sqlfluff could not run, 3 nothing to lint.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STAND_INS = "tools/dbt_stand_ins/__init__.py"
FINE, FINDINGS, WRONG_USE, MISSING_ARTIFACT = range(4)


def domain_sql() -> list[Path]:
    """Every model and singular test of the domains."""
    return sorted([*ROOT.glob("domains/*/models/**/*.sql"), *ROOT.glob("domains/*/tests/*.sql")])


def run(arguments: Sequence[str]) -> int:
    files = [Path(a).resolve() for a in arguments] or domain_sql()
    if not files:
        print("There is no SQL to lint: domains/*/models contains no .sql file.", file=sys.stderr)
        return MISSING_ARTIFACT
    sqlfluff = Path(sys.executable).with_name("sqlfluff")
    call = [str(sqlfluff), "lint", "--config", str(ROOT / ".sqlfluff"), "--format", "json", *map(str, files)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (FINE, FINDINGS):
        print(f"sqlfluff failed:\n{done.stdout}{done.stderr}", file=sys.stderr)
        return WRONG_USE
    linted = json.loads(done.stdout)
    findings = 0
    for file in linted:
        for v in file["violations"]:
            findings += 1
            path = Path(file["filepath"]).resolve()
            shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
            print(f"{shown}:{v['start_line_no']}:{v['start_line_pos']}  {v['code']}  {v['description']}")
    # sqlfluff does not list the files that it skips.
    missed = len(files) - len(linted)
    if missed:
        print(f"sqlfluff skipped {missed} of {len(files)} files: {done.stderr.strip()}", file=sys.stderr)
    print(f"{len(linted)} SQL files linted: {findings} findings.")
    if any(violation["code"] == "TMP" for file in linted for violation in file["violations"]):
        print(f"TMP: to define a package's names, run `dbt deps`. Add other names to {STAND_INS}.")
    if findings:
        print("sqlfluff can fix many of these: sqlfluff fix FILE (then review the changes).")
    return FINDINGS if findings or missed else FINE


def if_all_are_models(files: Sequence[str]) -> Sequence[str]:
    models = domain_sql()
    return files if all(Path(file).resolve() in models for file in files) else []


if __name__ == "__main__":
    raise SystemExit(run(if_all_are_models(sys.argv[1:])))
