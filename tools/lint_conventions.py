"""Check every domain against the conventions of dbt-bouncer.yml.

dbt-bouncer checks one package per run, by default the root package, which has no models, so nothing would be checked.
It needs duckdb below 2, so it has its own environment (requirements-lint.txt).

Usage: python tools/lint_conventions.py [--manifest FILE] [DOMAIN …]
Exit codes: 0 success, 1 findings, 2 wrong configuration, 3 an artifact is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
BOUNCER = ROOT / ".venv-bouncer" / "bin" / "dbt-bouncer"
FINE, FINDINGS, WRONG_USE, MISSING_ARTIFACT = range(4)
# dbt-bouncer's exit code if the configuration matches nothing in a domain.
NO_CHECKS_RUN = 4


class LintError(Exception):
    """An expected failure, with a message and an exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Result:
    """The result of one check on one resource. `index` is the check's position in dbt-bouncer.yml."""

    index: int
    check: str
    path: str
    message: str
    passed: bool


def parse_mesh(target: Path) -> Path:
    """Let dbt parse the mesh into `target`. Returns the manifest's path. Raises LintError with dbt's output."""
    dbt = Path(sys.executable).with_name("dbt")
    commands = [["parse"]] if (ROOT / "dbt_packages").is_dir() else [["deps"], ["parse"]]
    for command in commands:
        call = [str(dbt), "--quiet", *command, "--target-path", str(target), "--log-path", str(target)]
        done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LintError(f"dbt {command[0]} failed:\n{done.stdout}{done.stderr}", MISSING_ARTIFACT)
    return target / "manifest.json"


def read_manifest(manifest: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(manifest.read_text())
    except FileNotFoundError:
        raise LintError(f"There is no manifest at {manifest}. Run: dbt parse", MISSING_ARTIFACT) from None
    return found


def packages_with_models(manifest: Path) -> list[str]:
    """The domains: the packages that have models."""
    nodes = read_manifest(manifest)["nodes"].values()
    return sorted({n["package_name"] for n in nodes if n["resource_type"] == "model"})


def with_yml(manifest: Path, folder: Path) -> Path:
    """Copy the manifest with `.yml` instead of `.yaml`: dbt reads both, but dbt-bouncer's checks only know `.yml`."""
    content = read_manifest(manifest)
    for resource in [*content["nodes"].values(), *content["sources"].values()]:
        for key in ("patch_path", "original_file_path"):
            resource[key] = re.sub(r"\.yaml$", ".yml", resource.get(key) or "") or None
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder / "manifest.json"


def check_domain(domain: str, manifest: Path, work: Path) -> list[Result]:
    """Run dbt-bouncer on one domain."""
    text = (ROOT / "dbt-bouncer.yml").read_text().replace("DOMAIN", domain)
    settings = yaml.safe_load(text)
    checks_folder = ROOT / settings["custom_checks_dir"]
    settings |= {
        "package_name": domain,
        "dbt_artifacts_dir": str(manifest.parent),
        "custom_checks_dir": str(checks_folder),
    }
    configuration, output = work / f"{domain}.yml", work / f"{domain}.json"
    configuration.write_text(yaml.safe_dump(settings))
    call = [str(BOUNCER), "run", "--config-file", str(configuration), "--output-file", str(output)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DBT_BOUNCER_")}
    done = subprocess.run(call, cwd=work, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == NO_CHECKS_RUN:
        return []
    if done.returncode not in (FINE, FINDINGS) or not output.exists():
        raise LintError(f"dbt-bouncer failed on {domain}:\n{done.stdout}{done.stderr}", WRONG_USE)
    return [_result(entry, domain) for entry in json.loads(output.read_text())]


def _result(entry: dict[str, Any], domain: str) -> Result:
    check, index, *_ = entry["check_run_id"].split(":")
    return Result(
        index=int(index),
        check=check,
        path=_path(f"domains/{domain}/{entry['file_path']}"),
        message=entry["failure_message"] or "",
        passed=entry["outcome"] == "success",
    )


def _path(path: str) -> str:
    """The real path of a file, because with_yml renames every property file to `.yml`."""
    yaml_path = re.sub(r"\.yml$", ".yaml", path)
    return yaml_path if (ROOT / yaml_path).is_file() else path


def run(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Check the conventions of dbt-bouncer.yml on every domain.")
    parser.add_argument("--manifest", type=Path, help="dbt's manifest.json (default: dbt parses the mesh first)")
    parser.add_argument("domains", nargs="*", help="check only these domains (default: all)")
    options = parser.parse_args(arguments)
    if not BOUNCER.exists():
        raise LintError("dbt-bouncer is not installed. Run: make lint", MISSING_ARTIFACT)
    with tempfile.TemporaryDirectory(prefix="portmesh-lint-") as folder:
        work = Path(folder)
        manifest = options.manifest.resolve() if options.manifest else parse_mesh(work / "target")
        manifest = with_yml(manifest, work / "manifest")
        domains = [d for d in packages_with_models(manifest) if not options.domains or d in options.domains]
        results = [r for domain in domains for r in check_domain(domain, manifest, work)]
    findings = [r for r in results if not r.passed]
    for r in findings:
        print(f"{r.path}\n  {r.check}: {r.message}")
    declared = yaml.safe_load((ROOT / "dbt-bouncer.yml").read_text())["manifest_checks"]
    counts = Counter(r.index for r in results)
    idle = [c["name"] for index, c in enumerate(declared) if not counts[index] and not options.domains]
    if idle:
        print(f"These checks matched no resource: {', '.join(idle)}. Fix their include in dbt-bouncer.yml.")
    print(f"{len(results):,} checks in {len(domains)} domains: {len(findings)} findings.")
    return FINDINGS if findings or idle or not results else FINE


def main() -> None:
    try:
        raise SystemExit(run(sys.argv[1:]))
    except LintError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from error


if __name__ == "__main__":
    main()
