"""The demonstration as DAGs of astronomer-cosmos: the mode that COSMOS_MODE names. Airflow imports this file."""

from __future__ import annotations

import os
from pathlib import Path

from cosmos import DbtDag, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig  # type: ignore[import-not-found]
from cosmos.constants import ExecutionMode, InvocationMode, LoadMode  # type: ignore[import-not-found]

MODE = os.environ["COSMOS_MODE"]
PROJECT = Path(os.environ["PORTMESH_HOME"])

dag = DbtDag(
    dag_id=MODE,
    schedule=None,
    project_config=ProjectConfig(
        dbt_project_path=PROJECT,
        models_relative_path="domains",
        manifest_path=os.environ["COSMOS_MANIFEST"],
        install_dbt_deps=False,
    ),
    profile_config=ProfileConfig(
        profile_name="portmesh", target_name="local", profiles_yml_filepath=PROJECT / "profiles/profiles.yml"
    ),
    execution_config=ExecutionConfig(
        execution_mode=ExecutionMode(MODE),
        invocation_mode=InvocationMode.SUBPROCESS,
        dbt_executable_path=os.environ["COSMOS_DBT"],
    ),
    render_config=RenderConfig(load_method=LoadMode.DBT_MANIFEST),
    # DuckDB lets one process write, so LOCAL runs one dbt at a time. WATCHER has only one dbt.
    operator_args={"pool": "portmesh_local"} if MODE == "local" else {},
)
