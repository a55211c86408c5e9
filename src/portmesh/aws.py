"""Explains why AWS refused a request, and what to do about it. The whole kit uses this one table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

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
    """What an error means and what to do, with how to recognise it: by AWS's code, by exception or by text.

    boto3 writes ExpiredToken and Arrow writes EXPIRED_TOKEN, so codes are listed in lower case without underscores.
    """

    message: str
    next_step: str
    codes: tuple[str, ...] = ()
    exceptions: tuple[type[Exception], ...] = ()
    said: str = ""


NO_CREDENTIALS = Meaning(
    "No AWS credentials were found.",
    _SET_CREDENTIALS,
    exceptions=(NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound, SSOError),
    said="Unable to locate credentials|Partial credentials found|Error when retrieving credentials"
    "|config profile .* could not be found|SSO (session|Token)",
)
NOT_ACCEPTED = Meaning(
    "AWS rejected the credentials.",
    f"renew them: {_SET_CREDENTIALS}",
    codes=(
        *("expiredtoken", "expiredtokenexception", "invalidaccesskeyid", "invalidclienttokenid", "invalidsignature"),
        *("signaturedoesnotmatch", "unrecognizedclient", "unrecognizedclientexception"),
    ),
    said="ExpiredToken|security token included in the request is",
)
NO_PROXY = Meaning(
    "The proxy blocked the request to AWS.",
    "check HTTPS_PROXY, and NO_PROXY for hosts that need no proxy, then run this again",
    exceptions=(ProxyConnectionError,),
    said="Failed to connect to proxy|Tunnel connection failed|407 Proxy Authentication Required",
)
NO_TRUST = Meaning(
    "The certificate of the server that answered for AWS is not trusted on this machine.",
    "set AWS_CA_BUNDLE to the certificate file that your company's proxy requires",
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
    "ask for access to the lake's bucket and its databases in Glue, or use another role",
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
    "AWS is busy and rejected the request.",
    "run this again in a minute; completed work is kept",
    codes=("slowdown", "throttling", "throttlingexception"),
)
MEANINGS = (
    *(NO_CREDENTIALS, NOT_ACCEPTED, NO_PROXY, NO_TRUST, NO_ANSWER),
    *(NO_RIGHT, NO_BUCKET, NO_WORK_GROUP, OTHER_REGION, BUSY),
)
OTHER = Meaning("AWS refused the request.", "run this again; completed work is kept")


@contextmanager
def aws_errors_explained(facts: Sequence[tuple[str, str]]) -> Iterator[None]:
    """Turn errors of boto3, pyiceberg and Arrow's S3 client into UsageErrors with these facts."""
    try:
        yield
    except (CommitFailedException, ValidationException) as error:
        raise UsageError(
            "Another landing is changing the same batch and may have landed it; this one stopped.",
            [*facts, ("got", str(error))],
            "run this again: what has landed is kept",
        ) from error
    except NoSuchTableError as error:
        raise UsageError(
            "The Iceberg table does not exist.",
            [*facts, ("got", str(error))],
            "find out why it was removed, then build or land it again",
        ) from error
    except (BotoCoreError, ClientError, OSError) as error:
        meaning = meaning_of(error)
        raise UsageError(meaning.message, [*facts, ("got", str(error))], meaning.next_step) from error


def refusal(code: str, message: str, facts: Sequence[tuple[str, str]]) -> UsageError:
    """An error for a refusal inside a response, such as S3's for one of many files to delete."""
    meaning = meaning_of_code(code)
    return UsageError(meaning.message, [*facts, ("got", f"{code}: {message}")], meaning.next_step)


def meaning_of_code(code: str) -> Meaning:
    """The meaning of an AWS error code, as boto3 or Arrow writes it."""
    known = code.replace("_", "").lower()
    return next((meaning for meaning in MEANINGS if known in meaning.codes), OTHER)


def meaning_of_text(text: str) -> Meaning | None:
    """The meaning of an adapter's text that repeats an AWS error. None for other text."""
    return next((meaning for meaning in MEANINGS if meaning.said and re.search(meaning.said, text)), None)


def meaning_of(error: BotoCoreError | ClientError | OSError) -> Meaning:
    """The meaning of an error of boto3 or of Arrow's S3 client."""
    if isinstance(error, ClientError):
        return meaning_of_code(error.response["Error"]["Code"])
    by_type = next((meaning for meaning in MEANINGS if isinstance(error, meaning.exceptions)), None)
    found = re.search(r"AWS Error (\w+)", str(error))
    return by_type or meaning_of_code(found.group(1) if found else "")


def bucket_and_key(address: str) -> tuple[str, str]:
    """The bucket and the key of an S3 address; engines write s3://, s3a:// or s3n://."""
    bucket, _, key = address.partition("://")[2].partition("/")
    return bucket, key


def objects_below(s3: Any, address: str) -> Iterator[dict[str, Any]]:
    """The objects whose addresses begin with this one, as S3's client lists them: Key, Size, LastModified."""
    bucket, prefix = bucket_and_key(address)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", [])
