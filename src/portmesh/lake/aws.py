"""What AWS answers when it refuses something, in words of what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, ValidationException

from portmesh.errors import UsageError

_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, SSOError)
_SET_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; with SSO: aws sso login"
_NOT_ACCEPTED = ("AWS does not accept the credentials.", f"renew them: {_SET_CREDENTIALS}")
_NO_RIGHT = (
    "AWS does not allow this with your credentials.",
    "ask for the right to use the lake's bucket and its databases in Glue, or use another role",
)
_NO_BUCKET = ("The lake's bucket does not exist.", "name another: --lake s3://BUCKET, or set PORTMESH_S3_LAKE")
_NO_ANSWER = ("AWS cannot be reached.", "check the network, AWS_REGION and AWS_ENDPOINT_URL, then run this again")
_BUSY = ("AWS is busy and turned this away.", "run this again in a minute; what was done is kept")

# boto3 writes ExpiredToken, and Arrow EXPIRED_TOKEN: compared without underscores, in lower case.
_MEANINGS = {
    "expiredtoken": _NOT_ACCEPTED,
    "expiredtokenexception": _NOT_ACCEPTED,
    "invalidaccesskeyid": _NOT_ACCEPTED,
    "invalidclienttokenid": _NOT_ACCEPTED,
    "invalidsignature": _NOT_ACCEPTED,
    "signaturedoesnotmatch": _NOT_ACCEPTED,
    "unrecognizedclient": _NOT_ACCEPTED,
    "unrecognizedclientexception": _NOT_ACCEPTED,
    "accessdenied": _NO_RIGHT,
    "accessdeniedexception": _NO_RIGHT,
    "nosuchbucket": _NO_BUCKET,
    "networkconnection": _NO_ANSWER,
    "requesttimeout": _NO_ANSWER,
    "slowdown": _BUSY,
    "throttling": _BUSY,
    "throttlingexception": _BUSY,
}
_OTHER = ("AWS refused this.", "run this again; what was done is kept")
_ARROW_CODE = re.compile(r"AWS Error (\w+)")


@contextmanager
def aws_errors_explained(facts: Sequence[tuple[str, str]]) -> Iterator[None]:
    """Turns the errors of boto3, of pyiceberg and of Arrow's S3 into UsageErrors with these facts."""
    try:
        yield
    except (CommitFailedException, ValidationException) as error:
        raise UsageError(
            "Another landing is at work on the same batch, which it may have landed; this one stopped.",
            [*facts, ("got", str(error))],
            "run this again: what has landed is kept",
        ) from error
    except NoSuchTableError as error:
        raise UsageError(
            "There is no such Iceberg table.",
            [*facts, ("got", str(error))],
            "see who took it away, then build or land it again",
        ) from error
    except _CREDENTIALS as error:
        raise UsageError("There are no AWS credentials.", [*facts, ("got", str(error))], _SET_CREDENTIALS) from error
    except (BotoCoreError, ClientError, OSError) as error:
        meaning, next_step = _meaning(error)
        raise UsageError(meaning, [*facts, ("got", str(error))], next_step) from error


def _meaning(error: BotoCoreError | ClientError | OSError) -> tuple[str, str]:
    if isinstance(error, BotoConnectionError | HTTPClientError):
        return _NO_ANSWER
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
    else:
        found = _ARROW_CODE.search(str(error))
        code = found.group(1) if found else ""
    return _MEANINGS.get(code.replace("_", "").lower(), _OTHER)


def bucket_and_key(address: str) -> tuple[str, str]:
    """Of an address in S3, whichever of s3://, s3a:// and s3n:// an engine wrote."""
    bucket, _, key = address.partition("://")[2].partition("/")
    return bucket, key
