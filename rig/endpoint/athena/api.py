"""The operations of Athena's API that clients use. moto answers all others."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Response

from rig.endpoint.athena import refusals, workgroups
from rig.endpoint.athena.catalog import Catalog
from rig.endpoint.athena.executions import Execution, Executions
from rig.endpoint.athena.values import type_name
from rig.endpoint.athena.workgroups import InvalidRequestError
from rig.endpoint.calls import Call
from rig.endpoint.faults import Faults
from rig.home import Server
from rig.servers import REGION

ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
PAGE = 1000


class Athena:
    """The Athena API of one rig."""

    def __init__(self, url: str, trino_server: Callable[[], Server | None], faults: Faults) -> None:
        self._executions = Executions(Catalog(url), trino_server, faults)
        self._operations: dict[str, Callable[[Call], dict[str, Any]]] = {
            "StartQueryExecution": self._start,
            "StopQueryExecution": self._stop,
            "GetQueryExecution": self._describe,
            "BatchGetQueryExecution": self._describe_many,
            "ListQueryExecutions": self._list,
            "GetQueryResults": self._results,
            "CreateWorkGroup": lambda call: workgroups.create(REGION, call.parameters),
            "GetWorkGroup": lambda call: {
                "WorkGroup": workgroups.describe(workgroups.find(REGION, call.parameters["WorkGroup"]))
            },
            "UpdateWorkGroup": lambda call: workgroups.update(REGION, call.parameters),
            "DeleteWorkGroup": lambda call: workgroups.delete(REGION, call.parameters),
        }

    def answer(self, call: Call) -> Response | None:
        """The response, or None for an operation that moto answers."""
        operation = self._operations.get(call.operation)
        if operation is None:
            return None
        try:
            return call.answer(operation(call))
        except InvalidRequestError as error:
            return call.refuse("InvalidRequestException", str(error))

    def group_of(self, execution_id: str) -> str:
        """The work group of a query; `primary` for an unknown query."""
        execution = self._executions.get(execution_id)
        return execution.group if execution else "primary"

    def _start(self, call: Call) -> dict[str, Any]:
        request = call.parameters
        sql = request["QueryString"]
        if why := refusals.check_length(sql):
            raise InvalidRequestError(why)
        group = request.get("WorkGroup") or "primary"
        demands = workgroups.demands(workgroups.find(REGION, group))
        output = request.get("ResultConfiguration", {}).get("OutputLocation")
        if demands.output_enforced or output is None:
            output = demands.output
        if output is None:
            raise InvalidRequestError(
                "No output location provided. An output location is required either through the Workgroup result "
                "configuration setting or as an API input."
            )
        context = request.get("QueryExecutionContext") or {}
        reuse = request.get("ResultReuseConfiguration", {}).get("ResultReuseByAgeConfiguration", {})
        execution = Execution(
            sql=sql,
            database=context.get("Database", "default").lower(),
            catalog_name=context.get("Catalog"),
            group=group,
            access_key=call.access_key,
            demands=demands,
            output=output.rstrip("/") + "/",
            parameters=request.get("ExecutionParameters") or [],
            reuse_minutes=reuse.get("MaxAgeInMinutes", 60) if reuse.get("Enabled") else None,
        )
        self._executions.submit(execution)
        return {"QueryExecutionId": execution.id}

    def _find(self, execution_id: str) -> Execution:
        execution = self._executions.get(execution_id)
        if execution is None:
            raise InvalidRequestError(f"QueryExecution {execution_id} was not found")
        return execution

    def _stop(self, call: Call) -> dict[str, Any]:
        self._executions.cancel(self._find(call.parameters["QueryExecutionId"]), "Query cancelled!")
        return {}

    def _describe(self, call: Call) -> dict[str, Any]:
        return {"QueryExecution": describe(self._find(call.parameters["QueryExecutionId"]))}

    def _describe_many(self, call: Call) -> dict[str, Any]:
        found = [self._executions.get(execution_id) for execution_id in call.parameters["QueryExecutionIds"]]
        return {"QueryExecutions": [describe(execution) for execution in found if execution]}

    def _list(self, call: Call) -> dict[str, Any]:
        request = call.parameters
        ids = self._executions.ids(request.get("WorkGroup") or "primary")
        start, size = int(request.get("NextToken") or 0), int(request.get("MaxResults") or 50)
        more = {"NextToken": str(start + size)} if start + size < len(ids) else {}
        return {"QueryExecutionIds": ids[start : start + size], **more}

    def _results(self, call: Call) -> dict[str, Any]:
        """One page of rows. The first row of a query's result is its header, as in Athena."""
        execution = self._find(call.parameters["QueryExecutionId"])
        if execution.state != "SUCCEEDED":
            raise InvalidRequestError(f"Query did not finish successfully. Final query state: {execution.state}")
        if execution.rows is None:
            raise InvalidRequestError(
                f"The rig keeps the rows of recent queries only. The rows of this one are in {execution.location}"
            )
        start, size = int(call.parameters.get("NextToken") or 0), int(call.parameters.get("MaxResults") or PAGE)
        header: list[list[str | None]] = (
            [[name for name, _ in execution.columns]] if execution.statement.is_query else []
        )
        listed = [*header, *execution.rows]
        more = {"NextToken": str(start + size)} if start + size < len(listed) else {}
        return {
            "UpdateCount": execution.changed,
            "ResultSet": {
                "Rows": [{"Data": [_datum(value) for value in row]} for row in listed[start : start + size]],
                "ResultSetMetadata": {"ColumnInfo": [_column(name, kind) for name, kind in execution.columns]},
            },
            **more,
        }


def describe(execution: Execution) -> dict[str, Any]:
    """A query as GetQueryExecution returns it."""
    status: dict[str, Any] = {"State": execution.state, "SubmissionDateTime": execution.submitted}
    if execution.ended:
        status["CompletionDateTime"] = execution.ended
    if execution.reason:
        status["StateChangeReason"] = execution.reason
    if execution.state == "FAILED":
        error = {"ErrorCategory": 2, "ErrorType": 1000, "Retryable": False, "ErrorMessage": execution.reason}
        status["AthenaError"] = error
    milliseconds = int(((execution.ended or time.time()) - execution.submitted) * 1000)
    reuse: dict[str, Any] = {"Enabled": execution.reuse_minutes is not None}
    if execution.reuse_minutes is not None:
        reuse["MaxAgeInMinutes"] = execution.reuse_minutes
    catalog = {"Catalog": execution.catalog_name} if execution.catalog_name else {}
    return {
        "QueryExecutionId": execution.id,
        "Query": execution.sql,
        "StatementType": execution.statement.kind,
        "SubstatementType": _substatement(execution),
        "ResultConfiguration": {"OutputLocation": execution.location},
        "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": reuse},
        "QueryExecutionContext": {"Database": execution.database, **catalog},
        "Status": status,
        "Statistics": {
            "EngineExecutionTimeInMillis": milliseconds,
            "TotalExecutionTimeInMillis": milliseconds,
            "DataScannedInBytes": execution.scanned,
            "ResultReuseInformation": {"ReusedPreviousResult": execution.reused},
        },
        "WorkGroup": execution.group,
        "EngineVersion": ENGINE,
    }


def _substatement(execution: Execution) -> str:
    if execution.statement.creates_from_query:
        return "CREATE_TABLE_AS_SELECT"
    if execution.statement.first_word in ("CREATE", "ALTER", "DROP"):
        words = re.findall(r"\w+", execution.statement.sql.upper())
        return "_".join([word for word in words if word not in ("OR", "REPLACE", "EXTERNAL")][:2])
    return "SELECT" if execution.statement.is_query else execution.statement.first_word


def _datum(value: str | None) -> dict[str, str]:
    return {} if value is None else {"VarCharValue": value}


def _column(name: str, trino_type: str) -> dict[str, Any]:
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": type_name(trino_type),
        "Precision": 0,
        "Scale": 0,
        "Nullable": "UNKNOWN",
        "CaseSensitive": False,
    }
