"""Finds files in S3 that runs wrote for a port and that no table uses: a run crashed, or the table was dropped.

Each table of a port has a folder of its own (macro `iceberg__new_location`): `<lake>/<database>/<table>/<hash>/` or
`<lake>/<internal database>/<version>/<hash>/`. `portmesh maintain` looks inside the folder of the published table;
this module looks for folders that no table uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

import boto3

from portmesh.aws import aws_errors_explained, bucket_and_key, objects_below, refusal
from portmesh.lake.targets import aws_region, s3_lake
from portmesh.upkeep.leftovers import OrphanFiles
from portmesh.upkeep.port_facts import PortFacts
from portmesh.upkeep.version_names import parse_version_name

_HASH = re.compile(r"[0-9a-f]{12}")


def find_orphans(ports: Sequence[PortFacts]) -> dict[str, list[OrphanFiles]]:
    """The folders, by label of the port, that no table in Glue uses. Raises UsageError if AWS refuses a request."""
    s3, lake = boto3.client("s3", region_name=aws_region()), s3_lake()
    with aws_errors_explained([("lake", lake)]):
        beside = {database: _tables_below(s3, lake, database) for database in {p.internal_database for p in ports}}
        folders = {
            port.label: [
                *_folders(s3, f"{lake}/{port.database}/{port.table}/"),
                *(one for place in beside[port.internal_database].get(port.table, []) for one in _folders(s3, place)),
            ]
            for port in ports
        }
        # Asked after listing the folders: a running build may have created its table in the meantime.
        used = _folders_in_use({name for port in ports for name in (port.database, port.internal_database)})
        return {
            label: [orphans for folder in found if folder not in used for orphans in _describe(s3, folder)]
            for label, found in folders.items()
        }


def delete_files(orphans: Sequence[OrphanFiles]) -> None:
    """Delete the files, a thousand per request. Raises UsageError if S3 refuses to delete one."""
    s3 = boto3.client("s3", region_name=aws_region())
    for orphan in orphans:
        bucket, _ = bucket_and_key(orphan.name)
        delete_keys(s3, bucket, orphan.keys, orphan.name)


def delete_keys(s3: Any, bucket: str, keys: Sequence[str], where: str) -> None:
    """The same for the keys of a bucket, which are all in the folder `where`."""
    for start in range(0, len(keys), 1000):
        with aws_errors_explained([("files", where)]):
            objects = [{"Key": key} for key in keys[start : start + 1000]]
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        if refused := answer.get("Errors"):
            raise refusal(refused[0]["Code"], refused[0]["Message"], [("files", where)])


def _tables_below(s3: Any, lake: str, internal_database: str) -> Mapping[str, list[str]]:
    """The folders of versions and increments, by the name of the port's table."""
    found: dict[str, list[str]] = {}
    for folder in _folders_in(s3, f"{lake}/{internal_database}/"):
        version = parse_version_name(folder.rstrip("/").rpartition("/")[2])
        if version:
            found.setdefault(version.table, []).append(folder)
    return found


def _folders(s3: Any, place: str) -> Iterator[str]:
    """The table folders below a prefix, which are named by a hash. Other folders are ignored."""
    return (one for one in _folders_in(s3, place) if _HASH.fullmatch(one.rstrip("/").rpartition("/")[2]))


def _folders_in(s3: Any, place: str) -> Iterator[str]:
    bucket, prefix = bucket_and_key(place)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/"):
        for folder in page.get("CommonPrefixes", []):
            yield f"s3://{bucket}/{folder['Prefix']}"


def _folders_in_use(databases: set[str]) -> set[str]:
    """The folders of all tables in these databases, and of their metadata. A database need not exist."""
    glue = boto3.client("glue", region_name=aws_region())
    used: set[str] = set()
    for database in databases:
        try:
            for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
                for table in page["TableList"]:
                    metadata = table.get("Parameters", {}).get("metadata_location", "").partition("/metadata/")[0]
                    places = (table.get("StorageDescriptor", {}).get("Location", ""), metadata)
                    used |= {"s3://{}/{}/".format(*bucket_and_key(place.rstrip("/"))) for place in places if place}
        except glue.exceptions.EntityNotFoundException:
            continue
    return used


def _describe(s3: Any, folder: str) -> Iterator[OrphanFiles]:
    files = list(objects_below(s3, folder))
    if files:
        yield OrphanFiles(
            name=folder,
            keys=[file["Key"] for file in files],
            bytes=sum(file["Size"] for file in files),
            written_at=max(file["LastModified"] for file in files).astimezone(UTC).replace(tzinfo=None),
        )
