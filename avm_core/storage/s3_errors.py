"""What a failure of boto3 means to AVM, and what people should do about it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)
from s3transfer.exceptions import RetriesExceededError

from avm_core.config import S3Config
from avm_core.errors import (
    AccessDenied,
    AvmError,
    BadSettings,
    BucketMissing,
    ObjectMissing,
    StoreUnavailable,
)
from avm_core.storage.common import lost_race

FAILURES = (BotoCoreError, ClientError, Boto3Error, RetriesExceededError)

_MISSING_BUCKET = {"NoSuchBucket"}
_MISSING_KEY = {"NoSuchKey", "NoSuchVersion"}
_LOST = {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT}
_REFUSED = {
    "AccessDenied",
    "AllAccessDisabled",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
}
_BUSY = {
    "ConditionalRequestConflict",
    "InternalError",
    "OperationAborted",
    # What a ranged download gets when the object is replaced under it.
    "PreconditionFailed",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
}


@dataclass(frozen=True, slots=True)
class Place:
    """What a request was about, for its error message."""

    uri: str
    bucket: str
    key: str
    version_id: str
    config: S3Config

    def object(self) -> str:
        version = f" version {self.version_id!r}" if self.version_id else ""
        return f"object '{self.uri}/{self.key}'{version}" if self.key else f"'{self.uri}'"

    def bucket_missing(self) -> str:
        return (
            f"bucket '{self.bucket}' does not exist at {self.endpoint()}: create it, or fix the "
            f"URI setting that names it (AVM_LICENSED_URI, AVM_UGC_URI or AVM_LAKE_URI) or "
            f"{self.config.connection_name}"
        )

    def endpoint(self) -> str:
        return self.config.endpoint_url or f"AWS region {self.config.region}"


def translated(error: Exception, place: Place, *, conditional: bool) -> AvmError:
    """The AVM error for one of `FAILURES`; `conditional`: the request had a precondition."""
    if isinstance(error, ClientError):
        return _answered(error, place, conditional)
    fix = place.config.connection_name
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return AccessDenied(f"no credentials for bucket '{place.bucket}': set them in {fix}")
    if isinstance(error, ParamValidationError):
        return BadSettings(f"{place.object()} is not a valid S3 name: {error}")
    return StoreUnavailable(
        f"{place.object()}: no answer from {place.endpoint()} ({error}); check that the server "
        f"runs, and the endpoint in {fix}"
    )


def is_missing(error: Exception) -> bool:
    """Whether the answer is "not found"."""
    return isinstance(error, ClientError) and _status(error) == HTTPStatus.NOT_FOUND


def names_the_key(error: Exception) -> bool:
    """Whether the answer says that it is the key which is missing, and so that its bucket is not.
    That to a HEAD cannot: it has no body."""
    return isinstance(error, ClientError) and _code(error) in _MISSING_KEY


def is_behind_the_end(error: Exception) -> bool:
    """Whether a range begins where the object has ended."""
    return (
        isinstance(error, ClientError)
        and _status(error) == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    )


def _answered(error: ClientError, place: Place, conditional: bool) -> AvmError:
    code, status = _code(error), _status(error)
    fix = place.config.connection_name
    if code in _MISSING_BUCKET:
        return BucketMissing(place.bucket_missing())
    if conditional and (code == "NoSuchKey" or status in _LOST):
        return lost_race(place.object())
    if code in _MISSING_KEY or status == HTTPStatus.NOT_FOUND:
        return ObjectMissing(f"{place.object()} does not exist: check the key")
    if code in _REFUSED or status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return AccessDenied(
            f"bucket '{place.bucket}' refuses {place.object()} ({_told(error)}): fix the keys or "
            f"the rights of {fix}"
        )
    if code in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == 429:
        return StoreUnavailable(
            f"{place.object()}: {place.endpoint()} answers {_told(error)}; try again later"
        )
    return BadSettings(f"{place.object()}: S3 refuses the request, {_told(error)}; check {fix}")


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _told(error: ClientError) -> str:
    told = error.response.get("Error", {})
    return " ".join(part for part in (told.get("Code"), told.get("Message")) if part)
