"""The environments of a target's database, and which of them may be dropped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from portmesh.dbt import run_operation
from portmesh.errors import FindingsError, UsageError, not_allowed
from portmesh.scaffold.names import schemas_of_sources
from portmesh.scaffold.yaml_files import read_mapping

PROD, DUCKDB = "prod", "duckdb"
SHARED = "shared_environments"
"""The variable of dbt_project.yml that lists environments that nobody drops: `vars: {shared_environments: [test]}`."""


class Environment(BaseModel):
    """One environment. `schemas` have the number of tables in each; `foreign` ones have its prefix but are not ours."""

    name: str
    schemas: dict[str, int]
    foreign: list[str] = []
    ports: int
    rows: int
    bytes: int = 0
    last_built_at: datetime | None = None

    @property
    def tables(self) -> int:
        return sum(self.schemas.values())


class Environments(BaseModel):
    """All environments of one database. `current` is the one that commands use now."""

    target: str
    engine: str
    current: str
    environments: list[Environment]


def read_environments(target: str | None) -> Environments:
    """The environments of the target's database."""
    printed = run_operation("environments", target=target)
    found = Environments.model_validate(json.loads(printed[-1]))
    if found.engine == DUCKDB:
        return found
    # Imported here because the AWS packages take a second to load.
    from portmesh.upkeep.glue_schemas import bytes_of

    sized = [each.model_copy(update={"bytes": bytes_of(list(each.schemas))}) for each in found.environments]
    return found.model_copy(update={"environments": sized})


def find_to_drop(root: Path, found: Environments, name: str) -> Environment:
    """The environment to drop, with those of its schemas that may be dropped.

    Raises UsageError if it is production or shared, or if there is none of that name.
    """
    if name == PROD:
        raise UsageError("prod is production: it is never dropped.", next_step="portmesh env list shows the others")
    if name in shared(root):
        facts = [("file", f"dbt_project.yml, vars: {SHARED}")]
        raise UsageError(f"{name} is shared: it is never dropped.", facts, "take it off that list first")
    by_name = {environment.name: environment for environment in found.environments if environment.name != PROD}
    if name not in by_name:
        raise not_allowed("environment", name, sorted(by_name) or ["none but prod"])
    _assert_no_source(root, by_name[name])
    return by_name[name]


def shared(root: Path) -> list[str]:
    """The environments that nobody drops, besides production."""
    variables = read_mapping(root, root / "dbt_project.yml").get("vars")
    listed = variables.get(SHARED) if isinstance(variables, dict) else None
    return [str(name) for name in listed] if isinstance(listed, Sequence) and not isinstance(listed, str) else []


def drop(environment: Environment, found: Environments) -> None:
    """Drop its schemas with everything in them. Raises FindingsError if a view elsewhere reads from one of them."""
    if found.engine == DUCKDB:
        arguments = {"name": environment.name, "schemas": list(environment.schemas)}
        run_operation("drop_environment", json.dumps(arguments), found.target)
    else:
        # Imported here because the AWS packages take a second to load.
        from portmesh.upkeep.glue_schemas import drop_schemas

        drop_schemas(environment.name, list(environment.schemas))


def _assert_no_source(root: Path, environment: Environment) -> None:
    used = {schema: file for schema, file in schemas_of_sources(root).items() if schema in environment.schemas}
    if used:
        raise FindingsError(
            f"A source of the mesh reads from {environment.name}, so it was not dropped.",
            [(file, f"schema: {schema}") for schema, file in used.items()],
            "let the source read from elsewhere",
        )
