"""Opens the lake of a target: a folder, or tables in Glue and S3."""

from __future__ import annotations

import os
from pathlib import Path

from portmesh.errors import UsageError, not_allowed
from portmesh.lake.folder import FolderLake
from portmesh.lake.lake import Lake
from portmesh.repository import lake_folder

TARGET_VARIABLE = "PORTMESH_TARGET"
LOCAL = "local"
"""The target of a laptop and of CI: DuckDB, with nothing shared."""
S3_LAKE_VARIABLE = "PORTMESH_S3_LAKE"
DEFAULT_S3_LAKE = "s3://portmesh-lake"
DEFAULT_REGION = "eu-west-1"


def target_or_default(target: str | None) -> str:
    """The target, by default PORTMESH_TARGET, else local."""
    return target or os.environ.get(TARGET_VARIABLE) or LOCAL


def open_lake(target: str | None = None, lake: str | None = None) -> Lake:
    """The lake of a target (default: PORTMESH_TARGET, else local). `lake` is the option that names another lake.

    Raises UsageError for an unknown target, or for a lake that the target cannot read.
    """
    target = target_or_default(target)
    if target not in _OPEN:
        raise not_allowed("target", target, _OPEN)
    return _OPEN[target](lake)


def _open_folder(lake: str | None) -> Lake:
    if lake and lake.startswith("s3://"):
        raise _cannot_read(lake, "a folder, on the target local", "portmesh land --target emr, or --target athena")
    return FolderLake(lake_folder(Path(lake) if lake else None))


def s3_lake() -> str:
    """The address of the lake of the targets emr and athena: PORTMESH_S3_LAKE, else s3://portmesh-lake."""
    return (os.environ.get(S3_LAKE_VARIABLE) or DEFAULT_S3_LAKE).rstrip("/")


def aws_region() -> str:
    """AWS_REGION, else AWS_DEFAULT_REGION, else eu-west-1."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION


def _open_glue(lake: str | None) -> Lake:
    address = lake or s3_lake()
    if not address.startswith("s3://") or not address.removeprefix("s3://").strip("/"):
        raise _cannot_read(
            address, "s3://BUCKET or s3://BUCKET/PREFIX, on the targets emr and athena", "--lake s3://BUCKET"
        )
    # Imported here because the AWS packages take a second to load and a landing in a folder does not need them.
    from portmesh.lake.glue import GlueLake

    return GlueLake(address, aws_region())


def _cannot_read(lake: str, allowed: str, next_step: str) -> UsageError:
    return UsageError("The target cannot read this lake.", [("got", lake), ("allowed", allowed)], next_step)


_OPEN = {"local": _open_folder, "emr": _open_glue, "athena": _open_glue}
