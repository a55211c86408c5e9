"""The causes that messages name for an engine's errors."""

from __future__ import annotations

import json

import pytest

from tests.mesh import Mesh

# A Spark error with words that every Spark stack trace contains.
STACK = """
\tat software.amazon.awssdk.core.internal.http.pipeline.stages.ApiCallTimeoutTrackingStage.execute(ApiCall.java:80)
\tat org.apache.thrift.transport.TSocket$1.read(TSocket.java:12)
\tat java.base/java.lang.Thread.run(Thread.java:840)
\t... 12 more
"""
PROBE = """
{% macro probe(messages) %}
  {% for message in messages %}
    {% do print('cause ' ~ portmesh.cause_of(message, portmesh.iceberg__causes_of_faults()).cause) %}
  {% endfor %}
{% endmacro %}
"""
# Everything that thrift reports if the server is killed during a response.
THRIFT = "unexpected exception"
OTHER = "see the error below; logs/dbt.log has its full text"
ERRORS = {
    "GlueException: Something nobody has seen before (Service: Glue, Status Code: 400)": OTHER,
    "GlueException: Read timed out": "the engine or AWS took too long to answer",
    THRIFT: "the engine or AWS could not be reached",
    "GENERIC_INTERNAL_ERROR: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))": (
        "the engine or AWS could not be reached"
    ),
    "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))": (
        "the engine or AWS could not be reached"
    ),
    "java.lang.OutOfMemoryError: Java heap space": "the engine does not have enough memory for this",
    "EXCEEDED_LOCAL_MEMORY_LIMIT: Query exceeded per-node memory limit of 315MB": (
        "the engine does not have enough memory for this"
    ),
    "Query exhausted resources at this scale factor": "the engine does not have enough memory for this",
    "An error occurred (InvalidRequestException) when calling StartQueryExecution: WorkGroup w is not found.": (
        "Athena has no such work group in this region"
    ),
    "InvalidRequestException: Unable to verify/create output bucket lake": "the lake's bucket does not exist",
    "S3Exception: The bucket is in this region: eu-west-2 (PermanentRedirect)": (
        "the lake's bucket is in another region"
    ),
    'Failed to connect to proxy URL: "http://10.0.0.1:1"': ("the proxy blocked the request to AWS"),
    "GlueException: The security token included in the request is expired (ExpiredTokenException)": (
        "the AWS credentials have expired, are missing or are wrong"
    ),
}
# Errors in a domain's own statement, as Athena and Spark 3.5 write them. Names and values in them mean nothing.
OF_SQL = (
    "COLUMN_NOT_FOUND: line 3:5: Column 'amuont' cannot be resolved or requester is not authorized to access requested "
    "resources",
    "COLUMN_NOT_FOUND: line 3:5: Column 'cancelled_at' cannot be resolved",
    "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.raw.cancelled_orders' does not exist",
    "TYPE_MISMATCH: line 2:1: Cannot apply operator: row(timeout varchar) + integer",
    "INVALID_CAST_ARGUMENT: Cannot cast 'cancelled' to BIGINT",
    "INVALID_CAST_ARGUMENT: Value cannot be cast to date: throttled",
    "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name `cancelled_at` cannot be "
    "resolved. Did you mean one of the following? [`timeouts`].; line 5 pos 4;\n'Project ['cancelled_at]\n"
    "+- SubqueryAlias timeouts",
    '[CAST_INVALID_INPUT] The value \'timeout\' of the type "STRING" cannot be cast to "INT" because it is malformed.\n'
    "== SQL (line 3, position 5) ==\ncast(throttled as int)",
    "[TABLE_OR_VIEW_NOT_FOUND] The table or view `raw`.`timeouts` cannot be found.",
)
ALREADY_THERE = (
    "another table or view, not created by Portmesh, already has the port's name, or another run has just created it"
)
OF_A_NAME = {
    "TABLE_ALREADY_EXISTS: line 1:1: Destination table 'awsdatacatalog.shop.lines' already exists": ALREADY_THERE,
    "Query cancelled by user.": ("the query was cancelled: by a person, or by the work group's limit on bytes scanned"),
}


def causes_of(mesh: Mesh, messages: list[str]) -> list[str]:
    mesh.set_up("shop", root={"macro-paths": ["macros", "probe"]})
    mesh.write("probe/probe.sql", PROBE)
    assert mesh.dbt("deps").ok
    printed = mesh.dbt("run-operation", "probe", "--args", json.dumps({"messages": messages})).output
    return [line.removeprefix("cause ") for line in printed.splitlines() if line.startswith("cause ")]


def test_the_frames_of_a_stack_are_no_cause(mesh: Mesh) -> None:
    messages = [error if error == THRIFT else f"Runtime Error\n  {error}{STACK}" for error in ERRORS]
    assert causes_of(mesh, messages) == list(ERRORS.values())


def test_the_first_error_of_a_session_on_spark_has_the_same_cause(mesh: Mesh) -> None:
    """dbt-spark says `failed to connect` and prints the response of the Thrift server, with the error in quotes."""
    shown = "Database Error\n    failed to connect: OperationalError: TExecuteStatementResp(status=TStatus("
    errors = {error: cause for error, cause in ERRORS.items() if error != THRIFT}
    messages = [
        f"{shown}statusCode=3, infoMessages=['*org.apache.hive.service.cli.HiveSQLException:36:35', 'Throttling:1'], "
        f"sqlState=None, errorCode=0, errorMessage={f'Error running query: {error}'!r}), operationHandle=None)"
        for error in errors
    ]
    assert causes_of(mesh, messages) == list(errors.values())


def test_names_and_values_of_a_domain_are_no_cause(mesh: Mesh) -> None:
    of_model = "Database Error in model cancelled_timeouts (models/throttled/cancelled_timeouts.sql)\n  "
    compiled = "\n  compiled code at target/run/shop/models/throttled/cancelled_timeouts.sql"
    messages = [f"{of_model}{error}{compiled}" for error in (*OF_SQL, *OF_A_NAME)]
    assert causes_of(mesh, messages) == [OTHER] * len(OF_SQL) + list(OF_A_NAME.values())


CASTS = {
    "Conversion Error: Could not convert string '12,3a' to INT32 when casting from source column amount": "12,3a",
    'Conversion Error: invalid date field format: "31.02.2026", expected format is (YYYY-MM-DD)': "31.02.2026",
    'Conversion Error: date field value out of range: "2026-02-31"': "2026-02-31",
    '[CAST_INVALID_INPUT] The value \'n/a\' of the type "STRING" cannot be cast to "INT"': "n/a",
    "INVALID_CAST_ARGUMENT: Cannot cast 'x y' to BIGINT": "x y",
    "INVALID_CAST_ARGUMENT: Value cannot be cast to date: soon": "soon",
    "Catalog Error: Table with name lines does not exist!": None,
    "COLUMN_NOT_FOUND: line 3:5: Column 'amuont' cannot be resolved": None,
}
"""The value that each engine's error says cannot be cast."""
CAST_PROBE = """
{% macro probe(messages) %}
  {% for message in messages %}{% do print('value ' ~ portmesh._value_of_cast(message)) %}{% endfor %}
{% endmacro %}
"""


def test_the_value_that_cannot_be_cast_is_found_in_each_engines_words(mesh: Mesh) -> None:
    mesh.set_up("shop", root={"macro-paths": ["macros", "probe"]})
    mesh.write("probe/probe.sql", CAST_PROBE)
    assert mesh.dbt("deps").ok
    printed = mesh.dbt("run-operation", "probe", "--args", json.dumps({"messages": list(CASTS)})).output
    found = [line.removeprefix("value ") for line in printed.splitlines() if line.startswith("value ")]
    assert found == [str(value) for value in CASTS.values()]


def test_a_value_that_cannot_be_cast_leads_to_its_rows(mesh: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    mesh.set_up("shop")
    mesh.write("domains/shop/models/staging/stg_lines.sql",
               "select cast(amount as int) as amount, landed_at from {{ source('raw', 'lines') }}")  # fmt: skip
    mesh.write("domains/shop/models/staging/int_lines.sql",
               "{{ config(materialized='table') }} select * from {{ ref('stg_lines') }}")  # fmt: skip
    columns = """
        - {name: amount, data_type: int, description: Pieces.}
        - {name: landed_at, data_type: timestamp, description: When.}
    """
    mesh.port("shop/lines", "select amount, landed_at from {{ ref('stg_lines') }}", columns,
              meta="exemptions: [{rule: PM106, reason: A test., until: 2099-01-01}]")  # fmt: skip
    amount = "case i when 7 then '12,3a' else '5' end"
    mesh.land("lines", f"select {amount} as amount, timestamp '2026-11-26' as landed_at from range(9) as n(i)")
    assert mesh.dbt("deps").ok
    broken = mesh.dbt("build")
    assert broken.statuses["lines"] == broken.statuses["int_lines"] == "error"
    source = "{{ source('raw', 'lines') }}"
    cause = f"cause   the value '12,3a' cannot be cast; its rows: dbt show --inline \"select * from {source}"
    assert (
        f"{cause} where '12,3a' in (COLUMN)\"\n  next    fix these rows or the cast, then: dbt build" in broken.output
    )
    assert f"shop.int_lines was not built.\n\n  {cause}" in broken.output
    capsys.readouterr()
    assert not mesh.dbt("--quiet", "build").ok
    printed = capsys.readouterr().out
    assert f"shop.int_lines was not built.\n\n  {cause}" in printed
    assert "shop.lines was not published: the run failed." in printed
    sources = mesh.folder / "domains/shop/models/staging/_sources.yml"
    sources.write_text(sources.read_text().replace("- name: lines", "- {name: lines, columns: [{name: amount}]}"))
    broken = mesh.dbt("build", "--select", "lines")
    command = broken.output.partition("its rows: dbt show --inline ")[2].splitlines()[0].strip('"')
    shown = mesh.dbt("show", "--inline", command)
    assert shown.ok, shown.output
    assert "12,3a" in shown.output
