"""Clients with which the rig tests run Athena statements and inject faults."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

FINISHED = ("SUCCEEDED", "FAILED", "CANCELLED")


class Athena:
    """Runs statements in the database of the tests and waits for them."""

    def __init__(self, client: Any, output: str) -> None:
        self.client = client
        self.output = output

    def start(self, sql: str, **options: Any) -> str:
        """Submit a statement. Returns its id."""
        given = {
            "QueryExecutionContext": {"Database": "rig_tests"},
            "ResultConfiguration": {"OutputLocation": self.output},
            **options,
        }
        return str(self.client.start_query_execution(QueryString=sql, **given)["QueryExecutionId"])

    def wait(self, execution_id: str) -> dict[str, Any]:
        """A finished query, as GetQueryExecution returns it."""
        while True:
            execution = self.client.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
            if execution["Status"]["State"] in FINISHED:
                return dict(execution)
            time.sleep(0.05)

    def run(self, sql: str, **options: Any) -> dict[str, Any]:
        """Run a statement that must succeed."""
        execution = self.wait(self.start(sql, **options))
        assert execution["Status"]["State"] == "SUCCEEDED", f"{sql}\n{execution['Status']}"
        return execution

    def rows(self, sql: str, **options: Any) -> list[list[str | None]]:
        """The rows of a query, as text."""
        execution_id = self.run(sql, **options)["QueryExecutionId"]
        found = self.client.get_query_results(QueryExecutionId=execution_id)["ResultSet"]["Rows"]
        return [[cell.get("VarCharValue") for cell in row["Data"]] for row in found[1:]]

    def refused(self, sql: str, **options: Any) -> str:
        """Run a statement that must fail. Returns the reason."""
        status = self.wait(self.start(sql, **options))["Status"]
        assert status["State"] == "FAILED", f"{sql}\n{status}"
        return str(status["StateChangeReason"])


class Faults:
    """The faults of a rig."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/rig/faults"

    def add(self, **fault: Any) -> None:
        """Inject a fault."""
        self._send("PUT", json.dumps(fault).encode())

    def waiting(self) -> list[dict[str, Any]]:
        """The faults that are still pending."""
        return list(json.loads(self._send("GET")))

    def clear(self) -> None:
        """Clear all faults."""
        self._send("DELETE")

    def _send(self, method: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request) as answer:
            return bytes(answer.read())
