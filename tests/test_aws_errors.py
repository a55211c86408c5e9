"""AWS errors are recognised by code, by exception, and in an adapter's text."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    UnauthorizedSSOTokenError,
)

from portmesh import aws
from portmesh.aws import aws_errors_explained, meaning_of_code, meaning_of_text
from portmesh.errors import UsageError

URL = {"endpoint_url": "http://127.0.0.1:9"}


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "No."}}, "GetTables")


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (NoCredentialsError(), aws.NO_CREDENTIALS),
        (UnauthorizedSSOTokenError(), aws.NO_CREDENTIALS),
        (EndpointConnectionError(**URL), aws.NO_ANSWER),
        (ConnectTimeoutError(**URL), aws.NO_ANSWER),
        (client_error("ExpiredToken"), aws.NOT_ACCEPTED),
        (client_error("AccessDeniedException"), aws.NO_RIGHT),
        (client_error("NoSuchBucket"), aws.NO_BUCKET),
        (client_error("SlowDown"), aws.BUSY),
        (client_error("InternalServiceException"), aws.OTHER),
        (OSError("When writing: AWS Error ACCESS_DENIED during PutObject operation: No."), aws.NO_RIGHT),
        (OSError("When reading: AWS Error NETWORK_CONNECTION during GetObject operation: No."), aws.NO_ANSWER),
        (BotoCoreError(), aws.OTHER),
    ],
)
def test_an_error_has_its_sentence_and_its_next_step(error: Exception, meaning: aws.Meaning) -> None:
    with pytest.raises(UsageError) as refused, aws_errors_explained([("lake", "s3://lake")]):
        raise error
    assert refused.value.message == meaning.message
    assert refused.value.facts == [("lake", "s3://lake"), ("got", str(error)), ("next", meaning.next_step)]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Database Error\n  Unable to locate credentials", aws.NO_CREDENTIALS),
        ("An error occurred (ExpiredTokenException) when calling the GetTables operation: Expired.", aws.NOT_ACCEPTED),
        ("The security token included in the request is invalid.", aws.NOT_ACCEPTED),
        ('Could not connect to the endpoint URL: "http://127.0.0.1:9/"', aws.NO_ANSWER),
        ("shop.lines was not rolled back: An error occurred (AccessDenied) when calling PutObject", None),
        (
            "An error occurred (AccessDeniedException) when calling the GetTables operation: "
            "User: x is not authorized to perform: glue:GetTables on resource: database/portmesh",
            aws.NO_RIGHT,
        ),
        ("Compilation Error in macro rollback", None),
        ("", None),
    ],
)
def test_a_text_that_repeats_aws_has_the_same_sentence(text: str, meaning: aws.Meaning | None) -> None:
    assert meaning_of_text(text) == meaning


def test_no_code_has_two_meanings() -> None:
    codes = [code for meaning in aws.MEANINGS for code in meaning.codes]
    assert len(codes) > 10
    assert len(set(codes)) == len(codes)
    assert {meaning_of_code(code.upper()) for code in codes} < set(aws.MEANINGS)
