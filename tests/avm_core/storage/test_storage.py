"""Tests of choosing a store by URI."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from avm_core.config import S3Config
from avm_core.errors import BadSettings
from avm_core.storage import (
    LocalStore,
    MemoryStore,
    ensure_bucket,
    object_uri,
    open_store,
    resolve,
    split_uri,
)

CONFIG = S3Config(access_key="a", secret_key="b")


def test_the_uri_decides() -> None:
    assert isinstance(open_store("memory://choose", CONFIG), MemoryStore)
    assert isinstance(open_store("file:///some/folder", CONFIG), LocalStore)
    assert isinstance(open_store("some/folder", CONFIG), LocalStore)
    assert type(open_store("s3://bucket/prefix", CONFIG)).__name__ == "S3Store"


@pytest.mark.parametrize(
    "uri", ["s3://bucket", "s3://bucket/a/b", "file:///some/folder", "memory://x", "memory://x/y"]
)
def test_a_store_knows_its_uri(uri: str) -> None:
    assert open_store(uri, CONFIG).uri == uri
    assert open_store(uri + "/", CONFIG).uri == uri


def test_a_plain_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_store("films", CONFIG).uri == f"file://{tmp_path}/films"
    assert open_store(str(tmp_path / "x y"), CONFIG).uri == f"file://{tmp_path}/x y"


def test_memory_stores_of_one_name_are_one() -> None:
    open_store("memory://one-name", CONFIG).put("a", b"1")
    assert open_store("memory://one-name", CONFIG).get("a") == b"1"
    assert list(open_store("memory://other-name", CONFIG).list()) == []


@pytest.mark.parametrize("uri", ["", "gs://bucket", "http://host/x", "file://"])
def test_refuses_other_schemes(uri: str) -> None:
    with pytest.raises(BadSettings, match="must begin with s3://"):
        open_store(uri, CONFIG)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://bucket/a/b c%20+#?.mp4", ("s3://bucket", "a/b c%20+#?.mp4")),
        ("memory://name/a/b", ("memory://name", "a/b")),
        ("file:///a/b/c%20d", ("file:///a/b", "c%20d")),
        ("/a/Война.mp4", ("file:///a", "Война.mp4")),
    ],
)
def test_splits_without_decoding(uri: str, expected: tuple[str, str]) -> None:
    assert split_uri(uri) == expected


@pytest.mark.parametrize("uri", ["s3://bucket", "s3://bucket/", "memory://x", "/a/b/", "s3:///a"])
def test_a_uri_without_a_key_is_refused(uri: str) -> None:
    with pytest.raises(BadSettings, match="names no object"):
        split_uri(uri)


@pytest.mark.parametrize("scheme", ["memory", "file"])
@pytest.mark.parametrize("key", ["deep/er/a b%20+#.mp4", "Война и мир.mp4"])
def test_an_object_uri_leads_back(scheme: str, key: str, tmp_path: Path) -> None:
    base = "memory://back/pre" if scheme == "memory" else f"file://{tmp_path}/with space"
    store = open_store(base, CONFIG)
    store.put(key, b"1", metadata={"x": "1"})
    found, found_key = resolve(object_uri(store, key), CONFIG)
    assert found.get(found_key) == b"1"
    assert found.head(found_key).metadata == (("x", "1"),)


@pytest.mark.s3
@pytest.mark.parametrize("key", ["deep/er/a b%20+#?.mp4", "Война и мир.mp4"])
def test_an_s3_object_uri_leads_back(bucket_uri: str, s3_config: S3Config, key: str) -> None:
    store = open_store(f"{bucket_uri}/pre", s3_config)
    store.put(key, b"1")
    found, found_key = resolve(object_uri(store, key), s3_config)
    assert found.get(found_key) == b"1"
    assert found.uri == bucket_uri


def test_ensure_bucket_makes_folders(tmp_path: Path) -> None:
    for _ in range(2):
        ensure_bucket(f"file://{tmp_path}/a/b", CONFIG)
        ensure_bucket(str(tmp_path / "c"), CONFIG)
        ensure_bucket("memory://anything", CONFIG)
    assert (tmp_path / "a/b").is_dir()
    assert (tmp_path / "c").is_dir()


def test_folders_do_not_cost_boto3() -> None:
    code = (
        "import sys; from avm_core.config import S3Config; from avm_core.storage import open_store;"
        "open_store('folder', S3Config()); open_store('memory://x', S3Config());"
        "print(sorted({'boto3', 'botocore', 's3transfer'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
