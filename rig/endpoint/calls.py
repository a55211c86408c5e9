"""A call of an AWS client: its service, operation and caller. Also builds responses in AWS's formats."""

from __future__ import annotations

import io
import json
import re
import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/")
TARGETS = {"AmazonAthena": "athena", "AWSGlue": "glue"}


@dataclass
class Call:
    """A request of a client."""

    environ: WSGIEnvironment

    @cached_property
    def request(self) -> Request:
        """The request as a werkzeug object."""
        return Request(self.environ)

    @cached_property
    def _credential(self) -> tuple[str, str]:
        found = CREDENTIAL.search(self.environ.get("HTTP_AUTHORIZATION", ""))
        return (found[1], found[3].lower()) if found else ("", "")

    @property
    def access_key(self) -> str:
        """The caller's access key. Empty for an unsigned call."""
        return self._credential[0]

    @cached_property
    def _target(self) -> tuple[str, str]:
        prefix, _, operation = self.environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")
        return prefix, operation

    @property
    def service(self) -> str:
        """`s3`, `glue`, `athena`, `sts`…; a call that names no service is for S3."""
        return TARGETS.get(self._target[0]) or self._credential[1] or "s3"

    @cached_property
    def operation(self) -> str:
        """The operation's name in the service's API: GetTable, PutObject, AssumeRole."""
        if self._target[1]:
            return self._target[1]
        if self.service == "s3":
            return _s3_operation(self.request)
        found = re.search(rb"(?:^|&)Action=(\w+)", self.body)
        return found[1].decode() if found else ""

    @cached_property
    def body(self) -> bytes:
        """The whole body, which later handlers can still read. Not for S3, whose bodies may be large."""
        data = self.request.get_data()
        self.replace_body(data)
        return data

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The body of a JSON service."""
        return dict(json.loads(self.body or b"{}"))

    def replace_body(self, data: bytes) -> None:
        """Replace the body for later handlers."""
        self.environ["wsgi.input"] = io.BytesIO(data)
        self.environ["CONTENT_LENGTH"] = str(len(data))
        self.environ.pop("HTTP_TRANSFER_ENCODING", None)

    def answer(self, content: object) -> Response:
        """The response of a JSON service."""
        return _json(content, 200)

    def refuse(self, code: str, message: str, status: int = 400) -> Response:
        """An error in the service's format."""
        if self.service == "s3":
            xml = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
            return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}', status, content_type="application/xml")
        if self.service == "sts":
            inner = f"<Type>Sender</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
            return Response(f"<ErrorResponse><Error>{inner}</Error></ErrorResponse>", status, content_type="text/xml")
        # The message has both spellings, because clients read one or the other.
        return _json({"__type": code, "message": message, "Message": message}, status)


def _json(content: object, status: int) -> Response:
    answer = Response(json.dumps(content), status, content_type="application/x-amz-json-1.1")
    answer.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return answer


def _s3_operation(request: Request) -> str:
    """The operation of an S3 request, which method, path and query imply."""
    bucket, _, key = request.path.lstrip("/").partition("/")
    query = request.args
    if not key:
        if request.method == "POST" and "delete" in query:
            return "DeleteObjects"
        if request.method == "GET" and bucket:
            return "ListObjectsV2" if query.get("list-type") == "2" else "ListObjects"
        return {"PUT": "CreateBucket", "DELETE": "DeleteBucket", "HEAD": "HeadBucket"}.get(
            request.method, "ListBuckets"
        )
    if request.method == "POST":
        return "CreateMultipartUpload" if "uploads" in query else "CompleteMultipartUpload"
    if request.method == "PUT":
        if "partNumber" in query:
            return "UploadPart"
        return "CopyObject" if "x-amz-copy-source" in request.headers else "PutObject"
    return {"GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}.get(request.method, "")
