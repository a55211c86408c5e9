"""Explains why dbt cannot reach its engine (AWS, or Spark's Thrift server), and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from portmesh.aws import Meaning, meaning_of, meaning_of_code, meaning_of_text

SPARK_REFUSES = Meaning(
    "Spark rejected the user or the password.",
    "set PORTMESH_SPARK_USER and DBT_ENV_SECRET_PORTMESH_SPARK_PASSWORD",
    said="Error validating the login",
)
SPARK_IN_OTHER_WORDS = Meaning(
    "The server that answered does not speak the protocol of Spark's Thrift server.",
    "set PORTMESH_SPARK_TLS to match the server (true or false), and check PORTMESH_SPARK_PORT",
    said="TSocket read 0 bytes|WRONG_VERSION_NUMBER|wrong version number|Bad status: ",
)
SPARK_AWAY = Meaning(
    "The engine cannot be reached.",
    "start it, or check PORTMESH_SPARK_HOST and PORTMESH_SPARK_PORT",
    said="failed to connect|Could not connect to any of|TTransportException",
)
OF_SPARK = (SPARK_REFUSES, SPARK_IN_OTHER_WORDS, SPARK_AWAY)

_OF_AN_OPERATION = re.compile(
    r"^\s*(?:Encountered an error while running operation: )?An error occurred \((\w+)\) when calling", re.MULTILINE
)


def meaning_of_error(error: BaseException) -> Meaning | None:
    """The meaning of an error that ended dbt, or of one of its causes. None if it is not about reaching the engine."""
    for one in _with_causes(error):
        if isinstance(one, (BotoCoreError, ClientError)):
            text = str(one)
            return meaning_of_text(text) or meaning_of(one)
    return meaning_of_fault(str(error))


def meaning_of_fault(text: str) -> Meaning | None:
    """The meaning of an adapter's text that repeats such an error. None for other text, such as a macro's message."""
    if meaning := meaning_of_text(text):
        return meaning
    if found := _OF_AN_OPERATION.search(text):
        return meaning_of_code(found[1])
    return next((meaning for meaning in OF_SPARK if re.search(meaning.said, text)), None)


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one and one not in seen:
        seen.append(one)
        yield one
        one = one.__cause__ or one.__context__
