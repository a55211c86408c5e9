"""Production's state in S3, where the lake of Spark and Athena is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import ClientError

from portmesh.aws import aws_errors_explained, bucket_and_key, objects_below
from portmesh.errors import UsageError
from portmesh.lake.targets import aws_region

TRIES = 20


@dataclass(frozen=True)
class S3Files:
    """Objects below an address in S3. A write that another run came before is done again on what that run wrote."""

    where: str

    def names(self) -> list[str]:
        _, key = bucket_and_key(self.where)
        with self._explained():
            found = objects_below(self._s3, f"{self.where}/")
            return sorted(str(each["Key"]).removeprefix(f"{key}/") for each in found)

    def read(self, name: str) -> bytes | None:
        return self._read(name)[0]

    def change(self, name: str, new: Callable[[bytes | None], bytes]) -> None:
        bucket, key = bucket_and_key(f"{self.where}/{name}")
        with self._explained():
            for _ in range(TRIES):
                content, version = self._read(name)
                condition = {"IfMatch": version} if version else {"IfNoneMatch": "*"}
                try:
                    self._s3.put_object(Bucket=bucket, Key=key, Body=new(content), **condition)
                except ClientError as error:
                    if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
                        raise
                else:
                    return
        raise UsageError("Other runs keep changing production's state.", [("file", f"{self.where}/{name}")])

    def remove(self, name: str) -> None:
        bucket, key = bucket_and_key(f"{self.where}/{name}")
        with self._explained():
            self._s3.delete_object(Bucket=bucket, Key=key)

    def _read(self, name: str) -> tuple[bytes | None, str]:
        # S3 tells a role that may not list the whole bucket "access denied" instead of "no such key".
        if name not in self.names():
            return None, ""
        bucket, key = bucket_and_key(f"{self.where}/{name}")
        with self._explained():
            found = self._s3.get_object(Bucket=bucket, Key=key)
            return found["Body"].read(), str(found["ETag"])

    @cached_property
    def _s3(self) -> Any:
        return boto3.client("s3", region_name=aws_region())

    def _explained(self) -> Any:
        return aws_errors_explained([("production's state", self.where)])
