"""What dbt's `--select` takes for a model of a domain, as the macro `selector_of` says it inside dbt."""

from __future__ import annotations

from pathlib import Path

from portmesh.scaffold.register import domain_folders


def selector(root: Path, sql: Path) -> str:
    """The model's name, or its full path if the name also selects a whole domain, a folder or another model."""
    domain, _, *folders = sql.relative_to(root / "domains").parts[:-1]
    alike = [*root.glob(f"domains/*/models/{sql.stem}"), *root.glob(f"domains/*/models/**/{sql.name}")]
    is_alone = sql.stem not in domain_folders(root) and not [path for path in alike if path != sql]
    return sql.stem if is_alone else ".".join([domain, *folders, sql.stem])
