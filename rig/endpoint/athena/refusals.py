"""Refuses what Athena refuses and Trino would run, according to AWS's documentation of Athena engine version 3."""

from __future__ import annotations

import re

from sqlglot.tokens import TokenType

from rig.endpoint.athena.statements import AthenaError, Statement, TableName

MAXIMUM_LENGTH = 262_144
STATEMENTS = (
    *("SELECT", "WITH", "VALUES", "TABLE", "(", "INSERT", "MERGE", "UPDATE", "DELETE", "UNLOAD"),
    *("CREATE", "ALTER", "DROP", "MSCK", "OPTIMIZE", "VACUUM"),
    *("SHOW", "DESCRIBE", "DESC", "EXPLAIN", "PREPARE", "EXECUTE", "DEALLOCATE"),
)
CREATES = re.compile(
    r"(?i)create\s+((external\s+)?table|(or\s+replace\s+)?(protected\s+multi\s+dialect\s+)?view|schema|database)\b"
)
# The statements that Athena has.
UNSUPPORTED = re.compile(
    r"(?i)(describe\s+(input|output|database)|alter\s+(materialized|schema|database)|drop\s+(role|function|materialized)"
    r"|show\s+(grants?|roles?|current|locks|indexes|principals|compactions|transactions|session|catalogs|stats))\b"
)
# Statements that may not have any comment before them.
BARE = ("ALTER", "DROP", "MSCK", "OPTIMIZE", "VACUUM")
LINE_COMMENTS = re.compile(r"--[^\n]*")
NAME = re.compile(r"[a-z0-9_]+")
HIVE_PROPERTIES = {
    *("table_type", "is_external", "external_location", "format", "partitioned_by", "bucketed_by", "bucket_count"),
    *("field_delimiter", "orc_compression", "parquet_compression", "write_compression", "compression_level"),
}
# The properties allowed for an Iceberg table, in CREATE TABLE, ALTER TABLE SET TBLPROPERTIES and CTAS.
ICEBERG_TABLE_PROPERTIES = {
    *("table_type", "format", "write_compression"),
    *("optimize_rewrite_data_file_threshold", "optimize_rewrite_delete_file_threshold"),
    *("optimize_rewrite_min_data_file_size_bytes", "optimize_rewrite_max_data_file_size_bytes"),
    *("vacuum_min_snapshots_to_keep", "vacuum_max_snapshot_age_seconds", "vacuum_max_metadata_files_to_keep"),
}
ICEBERG_PROPERTIES = {*ICEBERG_TABLE_PROPERTIES, "is_external", "location", "partitioning"}
# Iceberg lacks these types; Trino would silently use a wider one.
ICEBERG_LACKS = re.compile(r"(?i)\b(tinyint|smallint|char|time)\b")


def check_length(sql: str) -> str | None:
    """Why a statement is too long, or None if it is not."""
    if len(sql.encode()) > MAXIMUM_LENGTH:
        return (
            "1 validation error detected: Value at 'queryString' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAXIMUM_LENGTH}"
        )
    return None


def check_statement(statement: Statement) -> None:
    """Statements that Athena does not have: CALL, TRUNCATE, COMMENT, START TRANSACTION, CREATE OR REPLACE TABLE …"""
    check_comments(statement)
    first = statement.first_word
    if first not in STATEMENTS or (first == "CREATE" and not CREATES.match(statement.sql)):
        near = statement.sql.split("\n")[0][:60]
        raise AthenaError(f"SYNTAX_ERROR: line 1:1: mismatched input '{near}'. Athena has no such statement.")
    if ";" in statement.sql and any(token.token_type == TokenType.SEMICOLON for token in statement.tokens):
        raise AthenaError("SYNTAX_ERROR: Only one sql statement is allowed.")
    if lacks := UNSUPPORTED.match(statement.sql):
        raise AthenaError(f"NOT_SUPPORTED: {' '.join(lacks[0].upper().split())} is not supported.")


def check_comments(statement: Statement) -> None:
    """Hive's parser, which handles DDL, does not accept block comments, nor any comment before some statements.

    Users reported this (Tomme/dbt-athena#64, getredash/redash#2399), and dbt-athena's query_headers.py avoids it.
    """
    if not statement.is_hive_ddl:
        return
    if "/*" in LINE_COMMENTS.sub("", statement.comments):
        raise AthenaError("FAILED: ParseException line 1:0 cannot recognize input near '/' '*'")
    if statement.comments.strip() and statement.first_word in BARE:
        raise AthenaError("FAILED: ParseException line 1:0 cannot recognize input near '-' '-'")


def check_new_name(kind: str, name: str) -> None:
    """The name of a new database, table or view may have lower-case letters, digits and underscores."""
    if not NAME.fullmatch(name):
        raise AthenaError(f"FAILED: {kind} name {name!r}: special characters other than underscore are not supported.")


def check_rows_change(verb: str, name: TableName, *, iceberg: bool) -> None:
    """UPDATE, DELETE and MERGE need an Iceberg table."""
    if not iceberg:
        raise AthenaError(f"NOT_SUPPORTED: {verb} is only supported for transactional tables; {name} is a Hive table.")


def check_iceberg(what: str, *, iceberg: bool) -> None:
    """Refuse a statement that Athena supports for Iceberg tables only."""
    if not iceberg:
        raise AthenaError(f"NOT_SUPPORTED: {what} is only supported for Iceberg tables")


def check_properties(given: set[str], *, iceberg: bool) -> None:
    """Check the properties in the WITH clause of a CREATE TABLE AS SELECT."""
    allowed = ICEBERG_PROPERTIES if iceberg else HIVE_PROPERTIES
    if unknown := given - allowed:
        raise AthenaError(
            f"INVALID_TABLE_PROPERTY: Unsupported table property: {', '.join(sorted(unknown))}. "
            f"Allowed: {', '.join(sorted(allowed))}."
        )


def check_iceberg_table_properties(given: set[str]) -> None:
    """Check the TBLPROPERTIES of an Iceberg table."""
    if unknown := given - ICEBERG_TABLE_PROPERTIES:
        raise AthenaError(f"FAILED: Unsupported table property key: {', '.join(sorted(unknown))}")


def check_iceberg_type(column: str, trino_type: str) -> None:
    """Check column types: Athena's Iceberg has timestamps with six digits, and no small integers and no char."""
    lower = trino_type.lower()
    if timestamp := re.search(r"timestamp\((\d+)\)", lower):
        if timestamp[1] != "6":
            raise AthenaError(
                f"NOT_SUPPORTED: Timestamp precision ({timestamp[1]}) not supported for Iceberg. "
                f'Use "timestamp(6)" instead. Column: {column}'
            )
    elif lacks := ICEBERG_LACKS.search(lower):
        raise AthenaError(f"NOT_SUPPORTED: Type not supported for Iceberg: {lacks[0]}. Column: {column}")


def check_location(*, given: str | None, iceberg: bool, enforced: bool, occupied: bool, name: TableName) -> None:
    """Check the location to which a CREATE TABLE AS SELECT writes."""
    if iceberg and given is None:
        raise AthenaError(f"INVALID_TABLE_PROPERTY: Table location can not be empty: {name}")
    if given is not None and not iceberg and enforced:
        raise AthenaError(
            "The Create Table As Select query failed because it was submitted with an 'external_location' property "
            "to an Athena Workgroup that enforces a centralized output location for all queries. Please remove the "
            "'external_location' property and resubmit the query."
        )
    if occupied:
        raise AthenaError(
            f"HIVE_PATH_ALREADY_EXISTS: Target directory for table '{name}' already exists: {given}. "
            "You may need to manually clean the data at this location before retrying."
        )
