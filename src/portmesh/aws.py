"""What AWS answers when it refuses something, in words of what to do about it: one table for all of the kit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    SSLError,
    SSOError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, ValidationException

from portmesh.errors import UsageError

_SET_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; with SSO: aws sso login"


@dataclass(frozen=True)
class Meaning:
    """A sentence, what to do, and how to know it: AWS's codes, exceptions, and what texts say that repeat them.

    boto3 writes ExpiredToken, and Arrow EXPIRED_TOKEN: codes stand here without underscores, in lower case.
    """

    message: str
    next_step: str
    codes: tuple[str, ...] = ()
    exceptions: tuple[type[Exception], ...] = ()
    said: str = ""


NO_CREDENTIALS = Meaning(
    "There are no AWS credentials.",
    _SET_CREDENTIALS,
    exceptions=(NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound, SSOError),
    said="Unable to locate credentials|Partial credentials found|Error when retrieving credentials"
    "|config profile .* could not be found|SSO (session|Token)",
)
NOT_ACCEPTED = Meaning(
    "AWS does not accept the credentials.",
    f"renew them: {_SET_CREDENTIALS}",
    codes=(
        *("expiredtoken", "expiredtokenexception", "invalidaccesskeyid", "invalidclienttokenid", "invalidsignature"),
        *("signaturedoesnotmatch", "unrecognizedclient", "unrecognizedclientexception"),
    ),
    said="ExpiredToken|security token included in the request is",
)
NO_PROXY = Meaning(
    "The proxy on the way to AWS does not let this through.",
    "check HTTPS_PROXY, and NO_PROXY for what needs none, then run this again",
    exceptions=(ProxyConnectionError,),
    said="Failed to connect to proxy|Tunnel connection failed|407 Proxy Authentication Required",
)
NO_TRUST = Meaning(
    "The certificate of what answers in AWS's place is not trusted here.",
    "name the file of certificates that your company's proxy asks for: AWS_CA_BUNDLE",
    exceptions=(SSLError,),
    said="SSL validation failed|CERTIFICATE_VERIFY_FAILED",
)
NO_ANSWER = Meaning(
    "AWS cannot be reached.",
    "check the network, AWS_REGION and AWS_ENDPOINT_URL, then run this again",
    codes=("networkconnection", "requesttimeout"),
    exceptions=(BotoConnectionError, HTTPClientError),
    said="Could not connect to the endpoint|(Connect|Read) timeout on endpoint|Connection was closed before",
)
NO_RIGHT = Meaning(
    "AWS does not allow this with your credentials.",
    "ask for the right to use the lake's bucket and its databases in Glue, or use another role",
    codes=("accessdenied", "accessdeniedexception"),
    said="is not authorized to perform: (glue|s3):",
)
NO_BUCKET = Meaning(
    "The lake's bucket does not exist.",
    "name another: --lake s3://BUCKET, or set PORTMESH_S3_LAKE",
    codes=("nosuchbucket",),
    said="Unable to verify/create output bucket|The specified bucket does not exist",
)
NO_WORK_GROUP = Meaning(
    "Athena has no such work group in this region.",
    "set PORTMESH_ATHENA_WORKGROUP and AWS_REGION",
    said="WorkGroup .{0,130}is not found",
)
OTHER_REGION = Meaning(
    "The lake's bucket is in another region.",
    "set AWS_REGION to the bucket's region",
    codes=("permanentredirect", "authorizationheadermalformed", "illegallocationconstraintexception"),
)
BUSY = Meaning(
    "AWS is busy and turned this away.",
    "run this again in a minute; what was done is kept",
    codes=("slowdown", "throttling", "throttlingexception"),
)
MEANINGS = (
    *(NO_CREDENTIALS, NOT_ACCEPTED, NO_PROXY, NO_TRUST, NO_ANSWER),
    *(NO_RIGHT, NO_BUCKET, NO_WORK_GROUP, OTHER_REGION, BUSY),
)
OTHER = Meaning("AWS refused this.", "run this again; what was done is kept")


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
    except (BotoCoreError, ClientError, OSError) as error:
        meaning = meaning_of(error)
        raise UsageError(meaning.message, [*facts, ("got", str(error))], meaning.next_step) from error


def refusal(code: str, message: str, facts: Sequence[tuple[str, str]]) -> UsageError:
    """For a refusal that is part of an answer, such as that of S3 to delete one file of many."""
    meaning = meaning_of_code(code)
    return UsageError(meaning.message, [*facts, ("got", f"{code}: {message}")], meaning.next_step)


def meaning_of_code(code: str) -> Meaning:
    """Of one of AWS's codes, as boto3 or as Arrow writes it."""
    known = code.replace("_", "").lower()
    return next((meaning for meaning in MEANINGS if known in meaning.codes), OTHER)


def meaning_of_text(text: str) -> Meaning | None:
    """Of a text in which an adapter repeats what AWS said; None where it says nothing of it."""
    return next((meaning for meaning in MEANINGS if meaning.said and re.search(meaning.said, text)), None)


def meaning_of(error: BotoCoreError | ClientError | OSError) -> Meaning:
    """Of an error of boto3 or of Arrow's S3."""
    if isinstance(error, ClientError):
        return meaning_of_code(error.response["Error"]["Code"])
    by_type = next((meaning for meaning in MEANINGS if isinstance(error, meaning.exceptions)), None)
    found = re.search(r"AWS Error (\w+)", str(error))
    return by_type or meaning_of_code(found.group(1) if found else "")


def bucket_and_key(address: str) -> tuple[str, str]:
    """Of an address in S3, whichever of s3://, s3a:// and s3n:// an engine wrote."""
    bucket, _, key = address.partition("://")[2].partition("/")
    return bucket, key
