"""An object store in S3 or a server that speaks its protocol; the only module that loads boto3."""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from avm_core.config import S3Config
from avm_core.errors import BadSettings, BucketMissing, ObjectMissing
from avm_core.storage.common import (
    CHUNK,
    checked_conditions,
    checked_key,
    checked_metadata,
    checked_range,
    lost_race,
    replacing,
)
from avm_core.storage.listing import in_key_order
from avm_core.storage.s3_errors import (
    FAILURES,
    Place,
    is_behind_the_end,
    is_missing,
    names_the_key,
    translated,
)
from avm_core.types import ObjectInfo

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SCHEME = "s3://"
_PART = 16 << 20
_POOL = 32
_EMPTY = "%00"
_LOCKS: dict[int, threading.Lock] = {}


class S3Store:
    """An `ObjectStore` below `s3://bucket[/prefix]`, for many threads and forked processes.

    Each process makes one client per `S3Config`, at its first request.
    """

    def __init__(self, uri: str, config: S3Config) -> None:
        """Makes no request. Raises `BadSettings` if `uri` names no bucket."""
        bucket, _, prefix = uri.removeprefix(SCHEME).partition("/")
        if not uri.startswith(SCHEME) or not bucket:
            raise BadSettings(f"URI {uri!r} must look like {SCHEME}bucket or {SCHEME}bucket/prefix")
        self._bucket = bucket
        self._base = prefix.strip("/") + "/" if prefix.strip("/") else ""
        self._config = config

    @property
    def uri(self) -> str:
        return f"{SCHEME}{self._bucket}/{self._base}".rstrip("/")

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        with self._errors():
            paginator = self._client().get_paginator("list_objects_v2")
            pages = iter(paginator.paginate(Bucket=self._bucket, Prefix=self._base + prefix))
            first = next(pages)
            infos = (
                ObjectInfo(
                    found["Key"][len(self._base) :],
                    found["Size"],
                    found["ETag"].strip('"'),
                    found["LastModified"],
                )
                for page in itertools.chain((first,), pages)
                for found in page.get("Contents", ())
            )
            server = first["ResponseMetadata"]["HTTPHeaders"].get("server", "")
            yield from in_key_order(infos, prefix) if server.startswith("SeaweedFS") else infos

    def head(self, key: str) -> ObjectInfo:
        with self._errors(key):
            found = self._client().head_object(Bucket=self._bucket, Key=self._full(key))
        version = found.get("VersionId", "")
        return ObjectInfo(
            key,
            found["ContentLength"],
            found["ETag"].strip('"'),
            found["LastModified"],
            "" if version == "null" else version,
            tuple(sorted((k.lower(), _decoded(v)) for k, v in found["Metadata"].items())),
        )

    def get(self, key: str) -> bytes:
        with self._errors(key):
            found = self._client().get_object(Bucket=self._bucket, Key=self._full(key))
            return found["Body"].read()

    def get_range(
        self, key: str, start: int, end: int, *, version_id: str = "", etag: str = ""
    ) -> bytes:
        checked_range(start, end)
        extra: dict[str, Any] = {"VersionId": version_id} if version_id else {}
        if etag:
            extra["IfMatch"] = f'"{etag}"'
        with self._errors(key, conditional=bool(etag), version_id=version_id):
            try:
                found = self._client().get_object(
                    Bucket=self._bucket,
                    Key=self._full(key),
                    Range=f"bytes={start}-{end - 1}",
                    **extra,
                )
            except FAILURES as error:
                if is_behind_the_end(error):
                    return b""
                raise
            return found["Body"].read()

    def download(
        self, key: str, path: Path, *, version_id: str = "", if_match: str | None = None
    ) -> None:
        full = self._full(key)
        extra = {"VersionId": version_id} if version_id else {}
        size = self._size_of(key, if_match) if if_match is not None else _PART
        conditional = if_match is not None
        with (
            replacing(path) as file,
            self._errors(key, version_id=version_id, conditional=conditional),
        ):
            if if_match is not None and size < _PART:
                found = self._client().get_object(
                    Bucket=self._bucket, Key=full, IfMatch=f'"{if_match}"'
                )
                shutil.copyfileobj(found["Body"], file, CHUNK)
                return
            # Its parts are of one version, but it takes no condition: asked before and after.
            self._client().download_fileobj(
                self._bucket, full, file, ExtraArgs=extra, Config=_transfer()
            )
            if if_match is not None:
                self._size_of(key, if_match)

    def _size_of(self, key: str, etag: str) -> int:
        """Bytes of that version; raises `PreconditionFailed` if another has its place."""
        info = self.head(key)
        if info.etag != etag:
            raise lost_race(f"object '{self.uri}/{key}'")
        return info.size

    def put(
        self,
        key: str,
        data: bytes,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        metadata: dict[str, str] | None = None,
    ) -> str:
        checked_conditions(if_match, if_absent)
        conditions: dict[str, Any] = {"IfNoneMatch": "*"} if if_absent else {}
        if if_match is not None:
            conditions["IfMatch"] = f'"{if_match}"'
        full, pairs = self._full(key), _encoded(metadata)
        with self._errors(key, conditional=bool(conditions)):
            written = self._client(retry=not conditions).put_object(
                Bucket=self._bucket, Key=full, Body=data, Metadata=pairs, **conditions
            )
        return written["ETag"].strip('"')

    def upload(self, key: str, path: Path, *, metadata: dict[str, str] | None = None) -> str:
        full, pairs = self._full(key), _encoded(metadata)
        with path.open("rb") as file, self._errors(key):
            client = self._client()
            if os.fstat(file.fileno()).st_size < _PART:
                written = client.put_object(
                    Bucket=self._bucket, Key=full, Body=file, Metadata=pairs
                )
                return written["ETag"].strip('"')
            extra = {"Metadata": pairs}
            client.upload_fileobj(file, self._bucket, full, ExtraArgs=extra, Config=_transfer())
        return self.head(key).etag

    def delete(self, key: str) -> None:
        with self._errors(key):
            self._client().delete_object(Bucket=self._bucket, Key=self._full(key))

    def ensure_bucket(self) -> None:
        """Make the bucket if it is missing."""
        with self._errors():
            client = self._client()
            try:
                client.head_bucket(Bucket=self._bucket)
                return
            except client.exceptions.ClientError as error:
                if not is_missing(error):
                    raise
            region = self._config.region
            # AWS refuses its default region as a constraint and demands every other.
            elsewhere = region != "us-east-1" and self._config.endpoint_url is None
            place: Any = {"CreateBucketConfiguration": {"LocationConstraint": region}}
            try:
                client.create_bucket(Bucket=self._bucket, **(place if elsewhere else {}))
            except (
                client.exceptions.BucketAlreadyExists,
                client.exceptions.BucketAlreadyOwnedByYou,
            ):
                # Someone else made it meanwhile; if it is not ours this is refused.
                client.head_bucket(Bucket=self._bucket)

    def _full(self, key: str) -> str:
        return self._base + checked_key(key)

    @contextmanager
    def _errors(
        self, key: str = "", *, conditional: bool = False, version_id: str = ""
    ) -> Iterator[None]:
        place = Place(self.uri, self._bucket, key, version_id, self._config)
        try:
            yield
        except FAILURES as error:
            reason = translated(error, place, conditional=conditional)
            unclear = isinstance(reason, ObjectMissing) and not names_the_key(error)
            if unclear and self._bucket_is_missing():
                raise BucketMissing(place.bucket_missing()) from error
            raise reason from error

    def _bucket_is_missing(self) -> bool:
        """The answer to a HEAD has no body that would tell a bucket from a key."""
        try:
            self._client().head_bucket(Bucket=self._bucket)
        except FAILURES as error:
            return is_missing(error)
        return False

    def _client(self, *, retry: bool = True) -> S3Client:
        process = os.getpid()
        # A lock per process: a fork may copy one that another thread of the parent holds.
        with _LOCKS.setdefault(process, threading.Lock()):
            return _make_client(self._config, retry, process)


@functools.lru_cache(maxsize=32)
def _make_client(config: S3Config, retry: bool, process: int) -> S3Client:
    """A client costs tenths of a second; connections must not be shared by processes."""
    own_server = config.endpoint_url is not None
    # A conditional put that is repeated after a lost answer would meet its own first write and
    # report a lost race: it fails as unavailable instead, and the caller reads again.
    retries: Any = {"mode": "standard", "total_max_attempts": 3 if retry else 1}
    checksums: Any = "when_required" if own_server else "when_supported"
    options = Config(
        retries=retries,
        connect_timeout=3,
        read_timeout=60,
        max_pool_connections=_POOL,
        s3={"addressing_style": "path" if own_server else "auto"},
        # Older servers store the trailer of an optional checksum as part of the object.
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
    )
    try:
        # A session of its own: boto3's default one is not safe to use from threads.
        return boto3.session.Session().client(
            "s3",
            endpoint_url=config.endpoint_url,
            aws_access_key_id=config.access_key,
            aws_secret_access_key=config.secret_key,
            region_name=config.region,
            config=options,
        )
    except ValueError as error:
        raise BadSettings(
            f"endpoint URL {config.endpoint_url!r} is wrong: fix {config.connection_name} ({error})"
        ) from error


def _transfer() -> TransferConfig:
    return TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART, max_concurrency=4)


def _encoded(metadata: dict[str, str] | None) -> dict[str, str]:
    """S3 keeps metadata as ASCII headers, trims their blanks, and some servers drop empty ones."""
    return {name: quote(value) or _EMPTY for name, value in checked_metadata(metadata).items()}


def _decoded(value: str) -> str:
    return "" if value == _EMPTY else unquote(value)
