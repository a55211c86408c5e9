"""Serves ranges of S3 objects without the copy of the whole object that moto makes; and makes objects older."""

from __future__ import annotations

import re
from datetime import timedelta

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from werkzeug.wrappers import Request, Response

from rig.endpoint.calls import Call

RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def read_range(call: Call) -> Response | None:
    """The range that a GetObject asks for. None if moto should answer (no range, no such object, a bad range)."""
    asked = RANGE.fullmatch(call.environ.get("HTTP_RANGE", ""))
    if asked is None or call.operation != "GetObject" or call.environ.get("QUERY_STRING") not in ("", "x-id=GetObject"):
        return None
    bucket, _, name = call.request.path.lstrip("/").partition("/")
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    if bucket not in backend.buckets:
        return None
    key = backend.get_object(bucket, name)
    span = _span(asked[1], asked[2], key.size) if key else None
    if key is None or span is None:
        return None
    first, last = span
    with key.lock:
        key._value_buffer.seek(first)
        part = key._value_buffer.read(last - first + 1)
    answer = Response(part, 206, content_type=key.metadata.get("Content-Type", "binary/octet-stream"))
    answer.headers["ETag"] = key.etag
    answer.headers["Last-Modified"] = key.last_modified_RFC1123
    answer.headers["Accept-Ranges"] = "bytes"
    answer.headers["Content-Range"] = f"bytes {first}-{last}/{key.size}"
    return answer


def age(request: Request) -> Response:
    """PUT /rig/age {"days": 3} makes every object that many days older."""
    earlier = timedelta(days=request.get_json(force=True)["days"])
    for bucket in s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets.values():
        for key in bucket.keys.values():
            key.last_modified -= earlier
    return Response("{}", content_type="application/json")


def _span(begin: str, end: str, size: int) -> tuple[int, int] | None:
    """The first and the last byte of `bytes=begin-end`, or of `bytes=-number` for the last bytes."""
    if begin:
        first, last = int(begin), min(int(end), size - 1) if end else size - 1
    elif end:
        first, last = max(size - int(end), 0), size - 1
    else:
        return None
    return (first, last) if first <= last else None
