"""What an engine's error is said to mean."""

from __future__ import annotations

import json

from tests.mesh import Mesh

# An error of Spark's with the words that its stack holds whatever has happened.
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
# All that thrift says of a server that was killed in the middle of an answer.
THRIFT = "unexpected exception"
OTHER = "see the error below, and the whole of it in logs/dbt.log"
ERRORS = {
    "GlueException: Something nobody has seen before (Service: Glue, Status Code: 400)": OTHER,
    "GlueException: Read timed out": "an answer took too long",
    THRIFT: "the engine or AWS could not be reached",
    "java.lang.OutOfMemoryError: Java heap space": "the engine has not the memory that this takes",
    "EXCEEDED_LOCAL_MEMORY_LIMIT: Query exceeded per-node memory limit of 315MB": (
        "the engine has not the memory that this takes"
    ),
    "Query exhausted resources at this scale factor": "the engine has not the memory that this takes",
    "An error occurred (InvalidRequestException) when calling StartQueryExecution: WorkGroup w is not found.": (
        "Athena has no such work group in this region"
    ),
    "InvalidRequestException: Unable to verify/create output bucket lake": "the lake's bucket does not exist",
    "S3Exception: The bucket is in this region: eu-west-2 (PermanentRedirect)": (
        "the lake's bucket is in another region"
    ),
    'Failed to connect to proxy URL: "http://10.0.0.1:1"': ("the proxy on the way to AWS does not let this through"),
    "GlueException: The security token included in the request is expired (ExpiredTokenException)": (
        "the AWS credentials have expired, are missing or are wrong"
    ),
}


def test_the_frames_of_a_stack_are_no_cause(mesh: Mesh) -> None:
    mesh.set_up("shop", root={"macro-paths": ["macros", "probe"]})
    mesh.write("probe/probe.sql", PROBE)
    assert mesh.dbt("deps").ok
    messages = json.dumps(
        {"messages": [error if error == THRIFT else f"Runtime Error\n  {error}{STACK}" for error in ERRORS]}
    )
    printed = mesh.dbt("run-operation", "probe", "--args", messages).output
    causes = [line.removeprefix("cause ") for line in printed.splitlines() if line.startswith("cause ")]
    assert causes == list(ERRORS.values()), printed
