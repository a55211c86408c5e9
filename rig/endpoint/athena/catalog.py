"""Athena's own calls to Glue and S3, in addition to those that Trino makes for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rig.endpoint.athena.statements import AthenaError, TableName
from rig.servers import ATHENA_KEY, client

# The keys of a table that UpdateTable accepts.
TABLE_INPUT = (
    *("Name", "Description", "Owner", "Parameters", "PartitionKeys", "StorageDescriptor", "TableType"),
    *("ViewOriginalText", "ViewExpandedText"),
)


class Catalog:
    """Glue and S3 as Athena uses them. Calls go through the endpoint, so that injected faults affect Athena too."""

    def __init__(self, url: str) -> None:
        self.glue = client("glue", url, ATHENA_KEY)
        self.s3 = client("s3", url, ATHENA_KEY)

    def find(self, name: TableName) -> dict[str, Any] | None:
        """A table in Glue, or None if it does not exist."""
        try:
            return dict(self.glue.get_table(DatabaseName=name.database, Name=name.table)["Table"])
        except self.glue.exceptions.EntityNotFoundException:
            return None

    def get(self, name: TableName) -> dict[str, Any]:
        """A table in Glue, which must exist."""
        table = self.find(name)
        if table is None:
            raise AthenaError(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{name}' does not exist")
        return table

    def change(self, name: TableName, change: Callable[[dict[str, Any]], None]) -> None:
        """Change a table, unless it was changed in the meantime."""
        table = self.get(name)
        wanted = {key: value for key, value in table.items() if key in TABLE_INPUT}
        change(wanted)
        self.glue.update_table(DatabaseName=name.database, TableInput=wanted, VersionId=table["VersionId"])

    def create_database(self, name: str, *, if_not_exists: bool) -> None:
        """CREATE DATABASE."""
        try:
            self.glue.create_database(DatabaseInput={"Name": name})
        except self.glue.exceptions.AlreadyExistsException:
            if not if_not_exists:
                raise AthenaError(f"FAILED: SemanticException Database {name} already exists") from None

    def drop_database(self, name: str, *, if_exists: bool, cascade: bool) -> None:
        """DROP DATABASE. A database with tables needs CASCADE."""
        try:
            tables = self.glue.get_tables(DatabaseName=name)["TableList"]
        except self.glue.exceptions.EntityNotFoundException:
            if if_exists:
                return
            raise AthenaError(f"FAILED: SemanticException Database does not exist: {name}") from None
        if tables and not cascade:
            raise AthenaError(
                f"FAILED: InvalidOperationException(message:Database {name} is not empty. One or more tables exist.)"
            )
        self.glue.delete_database(Name=name)

    def is_occupied(self, location: str) -> bool:
        """Whether there is any object below an s3:// location."""
        bucket, prefix = _bucket_and_key(location)
        found = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix.rstrip("/") + "/", MaxKeys=1)
        return bool(found["KeyCount"])

    def read(self, location: str) -> bytes:
        """The object at an s3:// location."""
        bucket, key = _bucket_and_key(location)
        return bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def write(self, location: str, content: bytes) -> None:
        """Put one object at an s3:// location."""
        bucket, key = _bucket_and_key(location)
        self.s3.put_object(Bucket=bucket, Key=key, Body=content)


def is_iceberg(table: dict[str, Any] | None) -> bool:
    """Whether a Glue table is an Iceberg table."""
    return bool(table) and str((table or {}).get("Parameters", {}).get("table_type", "")).upper() == "ICEBERG"


def _bucket_and_key(location: str) -> tuple[str, str]:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key
