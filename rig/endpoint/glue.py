"""Corrects moto's Glue where it is more lenient than AWS's or lacks an operation that an engine calls."""

from __future__ import annotations

import base64
import json
import re
import threading
from typing import TYPE_CHECKING, Any

import sqlglot
from moto.core import DEFAULT_ACCOUNT_ID
from moto.glue.models import glue_backends
from werkzeug.wrappers import Response

from rig.endpoint.calls import Call
from rig.servers import TRINO_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REGION = re.compile(r"Credential=[^/]+/\d+/([^/]+)/")
TRINO_VIEW = re.compile(r"/\* Presto View: (.*) \*/")
# The keys with which a request names a database or a table.
NAMES = ("Name", "DatabaseName", "TableName")
STATISTICS: dict[str, dict[str, list[object]]] = {
    "Get": {"ColumnStatisticsList": [], "Errors": []},
    "Update": {"Errors": []},
    "Delete": {},
}


class GlueCorrections:
    """Answers or changes requests to Glue."""

    def __init__(self, moto: WSGIApplication) -> None:
        self._moto = moto
        self._lock = threading.Lock()

    def answer(self, call: Call) -> Response | WSGIApplication | None:
        """The response, or None if moto should answer. May change the request."""
        if "ColumnStatistics" in call.operation:
            # moto fails because it lacks this operation, which Trino calls on every write.
            return call.answer(next(value for verb, value in STATISTICS.items() if call.operation.startswith(verb)))
        self._correct(call)
        if call.access_key == TRINO_KEY and call.operation in ("GetTable", "GetTables"):
            return self._tables_for_trino(call)
        return self._locked_update(call) if call.operation == "UpdateTable" else None

    def _correct(self, call: Call) -> None:
        """Change a request as AWS's Glue does before it stores it."""
        before = json.dumps(call.parameters)
        for holder in (call.parameters, call.parameters.get("DatabaseInput"), call.parameters.get("TableInput")):
            fold_names(holder or {})
        if table := call.parameters.get("TableInput"):
            table.setdefault("PartitionKeys", [])
            fill_view_columns(table)
        after = json.dumps(call.parameters)
        if after != before:
            call.replace_body(after.encode())

    def _tables_for_trino(self, call: Call) -> Response:
        answer = Response.from_app(self._moto, call.environ)
        if answer.status_code != 200:
            return answer
        found = json.loads(answer.get_data())
        if call.operation == "GetTable":
            return call.answer(found | {"Table": without_description(found["Table"])})
        return call.answer(found | {"TableList": [without_description(table) for table in found["TableList"]]})

    def _locked_update(self, call: Call) -> WSGIApplication:
        """Check UpdateTable's VersionId, which moto ignores: if two writers read the same version, the second fails."""

        def update(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
            with self._lock:
                asked = call.parameters.get("VersionId")
                has = _version(call)
                if asked is None or has is None or str(asked) == has:
                    return self._moto(environ, start_response)
            message = f"Update table failed due to concurrent modifications: version {asked} is not the current, {has}."
            return call.refuse("ConcurrentModificationException", message)(environ, start_response)

        return update


def fold_names(holder: dict[str, Any]) -> None:
    """Convert names to lower case: Glue stores them so, and finds them in any case."""
    for name in NAMES:
        if isinstance(holder.get(name), str):
            holder[name] = holder[name].lower()


def fill_view_columns(table: dict[str, Any]) -> None:
    """Replace the one column `dummy` of Trino's views by the view's own columns, as Athena does for `dbt docs`."""
    view = TRINO_VIEW.fullmatch(table.get("ViewOriginalText") or "")
    if view and [column["Name"] for column in table["StorageDescriptor"]["Columns"]] == ["dummy"]:
        columns = json.loads(base64.b64decode(view[1]))["columns"]
        table["StorageDescriptor"]["Columns"] = [
            {"Name": column["name"], "Type": glue_type(column["type"])} for column in columns
        ]


def without_description(table: dict[str, Any]) -> dict[str, Any]:
    """A view as Trino wrote it. Trino does not find a view with a description, which dbt-athena's persist_docs adds."""
    if not TRINO_VIEW.fullmatch(table.get("ViewOriginalText") or ""):
        return table
    kept = {key: value for key, value in table.items() if key != "Description"}
    return kept | {"Parameters": table["Parameters"] | {"comment": "Presto View"}}


def glue_type(trino_type: str) -> str:
    """A Trino type in Glue's spelling: string for varchar, struct<a:bigint> for row(a bigint)."""
    spelled = sqlglot.exp.DataType.build(trino_type, dialect="trino").sql(dialect="hive").lower()
    spelled = re.sub(r"timestamp(ntz|tz|ltz)?(\(\d+\))?", "timestamp", spelled)
    spelled = re.sub(r"varchar(\(\d+\))?|\btext\b|\bjson\b", "string", spelled)
    return spelled.replace(": ", ":").replace(", ", ",").replace("`", "")


def _version(call: Call) -> str | None:
    """The version of the table that a call wants to change; None if the table does not exist."""
    found = REGION.search(call.environ.get("HTTP_AUTHORIZATION", ""))
    backend = glue_backends[DEFAULT_ACCOUNT_ID][found[1] if found else "us-east-1"]
    database = backend.databases.get(call.parameters["DatabaseName"])
    table = database.tables.get(call.parameters["TableInput"]["Name"]) if database else None
    return str(table._current_version) if table else None
