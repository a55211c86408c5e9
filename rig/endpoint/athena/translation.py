"""Translates Athena's SQL to Trino's. Queries are unchanged; Hive's DDL, CREATE TABLE AS and maintenance are rewritten.

Trino has two catalogs on one Glue. Clients name `awsdatacatalog`, which has Hive tables and views, and redirects reads
and changes of rows to `iceberg`. It does not redirect CREATE TABLE and RENAME, so this module chooses their catalog.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.tokens import Token

from rig.endpoint.athena import refusals
from rig.endpoint.athena.catalog import Catalog, is_iceberg
from rig.endpoint.athena.statements import AthenaError, Statement, TableName, unquoted
from rig.endpoint.athena.vacuum import retention
from rig.endpoint.athena.workgroups import Demands

HIVE, ICEBERG = "awsdatacatalog", "iceberg"
# Returns the column types of a query, as Trino plans them.
Columns = Callable[[str], list[tuple[str, str]]]
# For each file format of Hive: its input format, output format and serializer.
FORMATS = {
    "parquet": (
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
    "text": (
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
    ),
}
# Properties of Athena that Trino does not need.
DROPPED = {
    "table_type",
    "is_external",
    "write_compression",
    "compression_level",
    *refusals.ICEBERG_TABLE_PROPERTIES,
} - {"format"}
RENAMED = {"field_delimiter": "textfile_field_separator"}


@dataclass
class Translator:
    """Translates one Athena statement to Trino statements. Changes to Glue alone are made directly, without Trino."""

    catalog: Catalog
    columns: Columns

    def translate(self, statement: Statement, demands: Demands, results: str) -> list[str]:
        """The statements for Trino, in order. `results` is the location for tables that name none."""
        refusals.check_statement(statement)
        if statement.take("CREATE"):
            return self._create(statement, demands, results)
        if statement.take("DROP"):
            return self._drop(statement)
        if statement.take("ALTER", "TABLE"):
            return self._alter(statement)
        if statement.take("MSCK", "REPAIR", "TABLE"):
            name = statement.name()
            return [f"call {HIVE}.system.sync_partition_metadata('{name.database}', '{name.table}', 'ADD')"]
        if statement.first_word in ("OPTIMIZE", "VACUUM"):
            return self._maintain(statement)
        if statement.first_word in ("UPDATE", "DELETE", "MERGE"):
            return self._change_rows(statement)
        return [statement.sql]

    def _create(self, statement: Statement, demands: Demands, results: str) -> list[str]:
        if statement.creates_from_query:
            return self._create_from_query(statement, demands, results)
        external = statement.take("EXTERNAL")
        if statement.take("TABLE"):
            return self._create_table(statement, external=external)
        if statement.take("SCHEMA") or statement.take("DATABASE"):
            if_not_exists = statement.take("IF", "NOT", "EXISTS")
            database = statement.name().table
            refusals.check_new_name("Database", database)
            self.catalog.create_database(database, if_not_exists=if_not_exists)
            return []
        statement.take("OR", "REPLACE")
        statement.take("VIEW")
        refusals.check_new_name("View", statement.name().table)
        return [statement.sql]

    def _create_from_query(self, statement: Statement, demands: Demands, results: str) -> list[str]:
        statement.take("TABLE")
        if_not_exists = statement.take("IF", "NOT", "EXISTS")
        name = statement.name()
        refusals.check_new_name("Table", name.table)
        given = statement.properties() if statement.take("WITH") else {}
        if not statement.take("AS"):
            raise AthenaError(f"SYNTAX_ERROR: mismatched input '{statement.next.text}'. Expecting: 'AS'")
        iceberg = unquoted(given.get("table_type", "")).lower() == "iceberg"
        refusals.check_properties(set(given), iceberg=iceberg)
        if self.catalog.find(name) and not if_not_exists:
            raise AthenaError(f"TABLE_ALREADY_EXISTS: Table 'awsdatacatalog.{name}' already exists")
        where = "location" if iceberg else "external_location"
        location = unquoted(given[where]) if where in given else None
        refusals.check_location(
            given=location,
            iceberg=iceberg,
            enforced=demands.output_enforced,
            occupied=bool(location) and not iceberg and self.catalog.is_occupied(str(location)),
            name=name,
        )
        query = _without_data_clause(statement.rest())
        if iceberg:
            for column, kind in self.columns(query):
                refusals.check_iceberg_type(column, kind)
        properties = {RENAMED.get(key, key): value for key, value in given.items() if key not in DROPPED}
        properties.setdefault(where, f"'{results}tables/{name.table}/'")
        if "format" in properties:
            properties["format"] = properties["format"].upper()
        listed = ", ".join(f"{key} = {value}" for key, value in properties.items())
        start = "create table if not exists" if if_not_exists else "create table"
        return [f"{start} {name.on(ICEBERG if iceberg else HIVE)} with ({listed}) as {statement.rest()}"]

    def _create_table(self, statement: Statement, *, external: bool) -> list[str]:
        """Hive's CREATE TABLE with columns: created in Glue for a Hive table, in Trino for an Iceberg table."""
        try:
            parsed = sqlglot.parse_one(statement.sql, read="athena")
        except sqlglot.errors.ParseError as error:
            raise AthenaError(f"SYNTAX_ERROR: {error}") from error
        table = parsed.find(exp.Table)
        if table is None or not isinstance(parsed.this, exp.Schema):
            raise AthenaError("SYNTAX_ERROR: CREATE TABLE needs columns; CREATE TABLE LIKE is not supported.")
        name = TableName((table.db or statement.database).lower(), table.name.lower())
        refusals.check_new_name("Table", name.table)
        clauses = _Clauses.of(parsed)
        iceberg = clauses.parameters.get("table_type", "").upper() == "ICEBERG"
        if iceberg and external:
            raise AthenaError("FAILED: External keyword not supported for table type ICEBERG")
        if not iceberg and not external:
            raise AthenaError("FAILED: a table that is not of Iceberg needs the keyword EXTERNAL")
        if clauses.location is None:
            raise AthenaError(f"FAILED: SemanticException {name} has no LOCATION")
        if self.catalog.find(name):
            if parsed.args.get("exists"):
                return []
            raise AthenaError(f"FAILED: AlreadyExistsException(message:Table {name.table} already exists.)")
        columns = _columns(parsed.this)
        if iceberg:
            parts = statement.items() if statement.skip_to("PARTITIONED BY") else []
            return [_iceberg_table(name, columns, clauses, [_transform(part) for part in parts])]
        self.catalog.glue.create_table(DatabaseName=name.database, TableInput=_hive_table(name, columns, clauses))
        return []

    def _drop(self, statement: Statement) -> list[str]:
        if statement.take("SCHEMA") or statement.take("DATABASE"):
            if_exists = statement.take("IF", "EXISTS")
            database = statement.name().table
            self.catalog.drop_database(database, if_exists=if_exists, cascade=statement.take("CASCADE"))
            return []
        kind = statement.word().lower()
        if kind not in ("table", "view"):
            raise AthenaError(f"SYNTAX_ERROR: mismatched input '{kind}'. Expecting: TABLE, VIEW, SCHEMA, DATABASE")
        start = f"drop {kind} if exists" if statement.take("IF", "EXISTS") else f"drop {kind}"
        name = statement.name()
        iceberg = kind == "table" and is_iceberg(self.catalog.find(name))
        return [f"{start} {name.on(ICEBERG if iceberg else HIVE)}"]

    def _maintain(self, statement: Statement) -> list[str]:
        if statement.take("VACUUM"):
            name = statement.name()
            parameters = self.catalog.get(name)["Parameters"]
            metadata = json.loads(self.catalog.read(parameters["metadata_location"]))
            kept = retention(parameters, metadata, time.time_ns() // 1_000_000)
            table = name.on(ICEBERG)
            return [
                f"alter table {table} execute expire_snapshots(retention_threshold => '{kept.snapshots}')",
                f"alter table {table} execute remove_orphan_files(retention_threshold => '{kept.orphans}')",
            ]
        statement.take("OPTIMIZE")
        table = statement.name().on(ICEBERG)
        if not statement.take("REWRITE", "DATA", "USING", "BIN_PACK"):
            raise AthenaError("SYNTAX_ERROR: OPTIMIZE <table> REWRITE DATA USING BIN_PACK [WHERE …] is expected.")
        return [f"alter table {table} execute optimize {statement.rest()}".rstrip()]

    def _change_rows(self, statement: Statement) -> list[str]:
        """UPDATE t, DELETE FROM t, MERGE INTO t."""
        verb = statement.word().upper()
        if verb in ("DELETE", "MERGE"):
            statement.word()
        name = statement.name()
        refusals.check_rows_change(verb, name, iceberg=is_iceberg(self.catalog.get(name)))
        return [statement.sql]

    def _alter(self, statement: Statement) -> list[str]:
        name = statement.name()
        table = self.catalog.get(name)
        iceberg = is_iceberg(table)
        target = name.on(ICEBERG if iceberg else HIVE)
        if statement.take("SET", "TBLPROPERTIES"):
            return self._set_properties(name, statement, iceberg=iceberg)
        if statement.take("RENAME", "TO"):
            refusals.check_iceberg("ALTER TABLE RENAME", iceberg=iceberg)
            new = statement.name()
            refusals.check_new_name("Table", new.table)
            return [f"alter table {target} rename to {new.on(ICEBERG)}"]
        if statement.take("ADD", "COLUMNS"):
            return [
                f'alter table {target} add column "{column}" {kind}'
                for column, kind in _column_list(statement, iceberg=iceberg)
            ]
        if statement.take("REPLACE", "COLUMNS"):
            return self._replace_columns(name, statement, iceberg=iceberg)
        if statement.take("DROP", "COLUMN"):
            refusals.check_iceberg("ALTER TABLE DROP COLUMN", iceberg=iceberg)
            return [f'alter table {target} drop column "{statement.word().lower()}"']
        if statement.take("CHANGE"):
            return _change_column(target, statement, iceberg=iceberg)
        for verb in ("ADD", "DROP"):
            if statement.take(verb):
                lenient = statement.take("IF", "NOT", "EXISTS") or statement.take("IF", "EXISTS")
                if statement.take("PARTITION"):
                    return self._partitions(verb, name, table, statement, lenient=lenient)
        raise AthenaError(f"SYNTAX_ERROR: Athena has no ALTER TABLE … {statement.rest()[:60]}")

    def _set_properties(self, name: TableName, statement: Statement, *, iceberg: bool) -> list[str]:
        properties = {key: unquoted(value) for key, value in statement.properties().items()}
        if iceberg:
            refusals.check_iceberg_table_properties(set(properties))
        self.catalog.change(name, lambda table: table.setdefault("Parameters", {}).update(properties))
        return []

    def _replace_columns(self, name: TableName, statement: Statement, *, iceberg: bool) -> list[str]:
        if iceberg:
            raise AthenaError("NOT_SUPPORTED: REPLACE COLUMNS is not supported for Iceberg tables")
        columns = _glue_columns(_columns(_as_schema(statement.rest())))
        self.catalog.change(name, lambda table: table["StorageDescriptor"].update(Columns=columns))
        return []

    def _partitions(
        self, verb: str, name: TableName, table: dict[str, Any], statement: Statement, *, lenient: bool
    ) -> list[str]:
        """ADD or DROP PARTITION (a = '1') [LOCATION '…'] [, | PARTITION (…)]: in Glue."""
        while True:
            values = {key: unquoted(value) for key, value in statement.properties().items()}
            location = unquoted(statement.word()) if statement.take("LOCATION") else None
            try:
                self._partition(verb, name, table, values, location)
            except (
                self.catalog.glue.exceptions.AlreadyExistsException,
                self.catalog.glue.exceptions.EntityNotFoundException,
            ) as error:
                if not lenient:
                    raise AthenaError(f"FAILED: {error}") from error
            statement.take(",")
            if not statement.take("PARTITION"):
                return []

    def _partition(
        self, verb: str, name: TableName, table: dict[str, Any], values: dict[str, str], location: str | None
    ) -> None:
        keys = [values[key["Name"]] for key in table["PartitionKeys"]]
        if verb == "DROP":
            self.catalog.glue.delete_partition(DatabaseName=name.database, TableName=name.table, PartitionValues=keys)
            return
        below = "/".join(f"{key}={value}" for key, value in values.items())
        storage = table["StorageDescriptor"]
        location = location or f"{storage['Location'].rstrip('/')}/{below}"
        self.catalog.glue.create_partition(
            DatabaseName=name.database,
            TableName=name.table,
            PartitionInput={"Values": keys, "StorageDescriptor": {**storage, "Location": location}},
        )


@dataclass(frozen=True)
class _Clauses:
    """The clauses after the columns of Hive's CREATE TABLE."""

    location: str | None
    partitioned_by: exp.Expr | None
    parameters: dict[str, str]
    file_format: str
    serde: str | None
    serde_parameters: dict[str, str]

    @classmethod
    def of(cls, parsed: exp.Expr) -> _Clauses:
        """The clauses of a parsed statement."""
        listed = parsed.args["properties"].expressions if parsed.args.get("properties") else []
        found = {type(clause): clause for clause in listed}
        location = found.get(exp.LocationProperty)
        partitioned = found.get(exp.PartitionedByProperty)
        file_format = found.get(exp.FileFormatProperty)
        serde = found.get(exp.RowFormatSerdeProperty)
        delimited = found.get(exp.RowFormatDelimitedProperty)
        fields = delimited.args.get("fields") if delimited else None
        return cls(
            location=location.this.name if location else None,
            partitioned_by=partitioned.this if partitioned else None,
            parameters={clause.name: clause.args["value"].name for clause in listed if type(clause) is exp.Property},
            file_format="parquet" if file_format and "parquet" in file_format.sql().lower() else "text",
            serde=serde.this.name if serde else None,
            serde_parameters={"field.delim": fields.name} if fields else {},
        )


def _iceberg_table(name: TableName, columns: list[tuple[str, str]], clauses: _Clauses, transforms: list[str]) -> str:
    refusals.check_iceberg_table_properties(set(clauses.parameters))
    spelled = []
    for column, hive_type in columns:
        kind = _trino_type(hive_type, iceberg=True)
        refusals.check_iceberg_type(column, kind)
        spelled.append(f'"{column}" {kind}')
    properties = [f"location = '{clauses.location}'", "format = 'PARQUET'"]
    if transforms:
        properties.append(f"partitioning = ARRAY[{', '.join(map(repr, transforms))}]")
    return f"create table {name.on(ICEBERG)} ({', '.join(spelled)}) with ({', '.join(properties)})"


def _transform(part: list[Token]) -> str:
    """A column or a transform in Trino's spelling: bucket(4, id) becomes bucket(id, 4)."""
    spelled = "".join(token.text for token in part).lower()
    return re.sub(r"(bucket|truncate)\((\d+),(\w+)\)", r"\1(\3,\2)", spelled)


def _hive_table(name: TableName, columns: list[tuple[str, str]], clauses: _Clauses) -> dict[str, Any]:
    """The input with which Glue creates a Hive table."""
    partitions = _columns(clauses.partitioned_by) if isinstance(clauses.partitioned_by, exp.Schema) else []
    reads, writes, serde = FORMATS[clauses.file_format]
    return {
        "Name": name.table,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", **clauses.parameters},
        "PartitionKeys": _glue_columns(partitions),
        "StorageDescriptor": {
            "Columns": _glue_columns(columns),
            "Location": clauses.location,
            "InputFormat": reads,
            "OutputFormat": writes,
            "SerdeInfo": {"SerializationLibrary": clauses.serde or serde, "Parameters": clauses.serde_parameters},
        },
    }


def _columns(schema: exp.Expression) -> list[tuple[str, str]]:
    """Names and Hive types of a list of columns."""
    return [
        (column.name.lower(), column.args["kind"].sql(dialect="hive").lower())
        for column in schema.expressions
        if isinstance(column, exp.ColumnDef)
    ]


def _as_schema(columns: str) -> exp.Expression:
    """A list of columns in parentheses, parsed like those of a table."""
    parsed: exp.Expression = sqlglot.parse_one(f"create table t {columns}", read="hive").this
    return parsed


def _column_list(statement: Statement, *, iceberg: bool) -> list[tuple[str, str]]:
    """The columns of ADD COLUMNS, with Trino's types."""
    found = []
    for column, hive_type in _columns(_as_schema(statement.rest())):
        kind = _trino_type(hive_type, iceberg=iceberg)
        if iceberg:
            refusals.check_iceberg_type(column, kind)
        found.append((column, kind))
    return found


def _change_column(target: str, statement: Statement, *, iceberg: bool) -> list[str]:
    """CHANGE [COLUMN] old new type: a rename, a wider type, or both."""
    statement.take("COLUMN")
    old, new = statement.word().lower(), statement.word().lower()
    kind = _trino_type(statement.rest(), iceberg=iceberg)
    rename = [f'alter table {target} rename column "{old}" to "{new}"'] if old != new else []
    return [*rename, f'alter table {target} alter column "{new}" set data type {kind}']


def _glue_columns(columns: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"Name": column, "Type": "string" if kind == "text" else kind} for column, kind in columns]


def _trino_type(hive_type: str, *, iceberg: bool) -> str:
    """A Hive type in Trino's spelling. Iceberg's timestamps have six digits."""
    kind = exp.DataType.build(hive_type, dialect="hive").sql(dialect="trino")
    return re.sub(r"(?i)\btimestamp\b(?!\()", "TIMESTAMP(6)", kind) if iceberg else kind


def _without_data_clause(query: str) -> str:
    """The query of a CREATE TABLE AS, without a WITH [NO] DATA after it."""
    return re.sub(r"(?is)\s+with\s+(no\s+)?data\s*\Z", "", query)
