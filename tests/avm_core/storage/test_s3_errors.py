"""Tests of what each answer of S3 means."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
)

from avm_core.config import S3Config
from avm_core.errors import (
    AccessDenied,
    BadSettings,
    BucketMissing,
    ObjectMissing,
    PreconditionFailed,
    StoreUnavailable,
)
from avm_core.storage.s3_errors import Place, is_missing, names_the_key, translated

PLACE = Place("s3://bucket/pre", "bucket", "a/key", "", S3Config(connection_name="the connection"))


def answer(code: str, status: int) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "said the server"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "Anything",
    )


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("NoSuchBucket", 404, BucketMissing),
        ("NoSuchKey", 404, ObjectMissing),
        ("NoSuchVersion", 404, ObjectMissing),
        ("404", 404, ObjectMissing),
        ("403", 403, AccessDenied),
        ("AccessDenied", 403, AccessDenied),
        ("InvalidAccessKeyId", 403, AccessDenied),
        ("SignatureDoesNotMatch", 403, AccessDenied),
        ("ExpiredToken", 400, AccessDenied),
        ("SlowDown", 503, StoreUnavailable),
        ("InternalError", 500, StoreUnavailable),
        ("Whatever", 502, StoreUnavailable),
        ("TooMany", 429, StoreUnavailable),
        ("RequestTimeout", 400, StoreUnavailable),
        ("OperationAborted", 409, StoreUnavailable),
        ("PermanentRedirect", 301, BadSettings),
        ("AuthorizationHeaderMalformed", 400, BadSettings),
        ("InvalidBucketName", 400, BadSettings),
    ],
)
def test_an_answer_becomes_an_error_that_names_the_fix(
    code: str, status: int, kind: type[Exception]
) -> None:
    error = translated(answer(code, status), PLACE, conditional=False)
    assert type(error) is kind
    assert "bucket" in str(error)
    assert "key" in str(error) or kind is BucketMissing
    if kind in (BucketMissing, AccessDenied, BadSettings):
        assert "the connection" in str(error)


@pytest.mark.parametrize(
    ("code", "status"),
    [("PreconditionFailed", 412), ("412", 412), ("ConditionalRequestConflict", 409)],
)
def test_a_condition_that_fails_is_a_lost_race(code: str, status: int) -> None:
    error = translated(answer(code, status), PLACE, conditional=True)
    assert type(error) is PreconditionFailed
    assert "read it again" in str(error)


def test_a_conditional_write_over_nothing_is_a_lost_race() -> None:
    lost = translated(answer("NoSuchKey", 404), PLACE, conditional=True)
    gone = translated(answer("NoSuchBucket", 404), PLACE, conditional=True)
    assert type(lost) is PreconditionFailed
    assert type(gone) is BucketMissing


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (EndpointConnectionError(endpoint_url="http://x"), StoreUnavailable),
        (ConnectTimeoutError(endpoint_url="http://x"), StoreUnavailable),
        (ReadTimeoutError(endpoint_url="http://x"), StoreUnavailable),
        (NoCredentialsError(), AccessDenied),
        (PartialCredentialsError(provider="env", cred_var="secret"), AccessDenied),
        (ParamValidationError(report="bad bucket"), BadSettings),
    ],
)
def test_no_answer_at_all(error: Exception, kind: type[Exception]) -> None:
    assert type(translated(error, PLACE, conditional=False)) is kind


def test_only_not_found_is_missing() -> None:
    assert is_missing(answer("NoSuchKey", 404))
    assert is_missing(answer("404", 404))
    assert not is_missing(answer("403", 403))
    assert not is_missing(NoCredentialsError())


def test_only_a_code_tells_a_missing_key_from_a_missing_bucket() -> None:
    assert names_the_key(answer("NoSuchKey", 404))
    assert not names_the_key(answer("404", 404))
    assert not names_the_key(answer("NoSuchBucket", 404))
