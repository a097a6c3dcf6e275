"""Tests of the S3 store against a real server."""

from __future__ import annotations

import multiprocessing
import pickle
import random
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest

from avm_core.config import S3Config
from avm_core.errors import (
    AccessDenied,
    AvmError,
    BadSettings,
    BucketMissing,
    ObjectMissing,
    StoreUnavailable,
    Terminal,
    Transient,
)
from avm_core.storage.listing import in_key_order
from avm_core.storage.s3 import S3Store
from avm_core.types import ObjectInfo
from tests.contracts.object_store import ObjectStoreContract

Call = Callable[[S3Store], object]

CALLS: dict[str, Call] = {
    "list": lambda store: list(store.list()),
    "head": lambda store: store.head("a"),
    "get": lambda store: store.get("a"),
    "put": lambda store: store.put("a", b"1"),
    "conditional put": lambda store: store.put("a", b"1", if_absent=True),
    "delete": lambda store: store.delete("a"),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


@pytest.mark.s3
class TestS3Store(ObjectStoreContract):
    @pytest.fixture
    def store(self, bucket_uri: str, s3_config: S3Config) -> S3Store:
        return S3Store(bucket_uri, s3_config)


@pytest.mark.s3
def test_a_prefix_is_a_world_of_its_own(
    bucket_uri: str, s3_config: S3Config, tmp_path: Path
) -> None:
    whole = S3Store(bucket_uri, s3_config)
    below = S3Store(f"{bucket_uri}/some/prefix/", s3_config)
    assert below.uri == f"{bucket_uri}/some/prefix"
    for key in ("some/prefix-not", "some/other", "a/1"):
        whole.put(key, b"a neighbour")
    etags = {key: below.put(key, key.encode(), if_absent=True) for key in ("a/1", "a/2", "б")}
    assert [info.key for info in below.list()] == ["a/1", "a/2", "б"]
    assert [info.key for info in below.list("a/")] == ["a/1", "a/2"]
    assert {key: below.head(key).etag for key in etags} == etags
    assert whole.get("some/prefix/a/1") == below.get("a/1") == b"a/1"
    below.download("a/2", tmp_path / "file")
    below.upload("a/3", tmp_path / "file")
    below.delete("a/1")
    assert [info.key for info in whole.list("some/prefix/")] == [
        "some/prefix/a/2",
        "some/prefix/a/3",
        "some/prefix/б",
    ]
    assert whole.get("a/1") == b"a neighbour"


@pytest.mark.s3
def test_a_forked_process_makes_its_own_client(bucket_uri: str, s3_config: S3Config) -> None:
    store = S3Store(bucket_uri, s3_config)
    store.put("parent", b"1")
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=store.put, args=(f"child/{n}", b"1")) for n in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]
    assert [info.key for info in store.list()] == ["child/0", "child/1", "parent"]


@dataclass
class SilentServer:
    """Accepts connections and closes each without an answer."""

    url: str
    connections: int = 0


@pytest.fixture
def silent_server() -> Iterator[SilentServer]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = SilentServer(f"http://127.0.0.1:{listening.getsockname()[1]}")
        stop = threading.Event()
        listening.settimeout(0.05)

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listening.accept()
                except TimeoutError:
                    continue
                # Counted before the client can notice.
                server.connections += 1
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server
        stop.set()
        thread.join()


@pytest.mark.s3
@every_call
def test_a_wrong_secret_names_the_connection(
    call: Call, bucket_uri: str, s3_config: S3Config
) -> None:
    S3Store(bucket_uri, s3_config).put("a", b"1")
    wrong = s3_config.model_copy(update={"secret_key": "wrong"})
    with pytest.raises(AccessDenied, match="Airflow connection 'avm_s3'") as caught:
        call(S3Store(bucket_uri, wrong))
    assert bucket_uri.removeprefix("s3://") in str(caught.value)


@pytest.mark.s3
@every_call
def test_a_wrong_access_key_is_refused(call: Call, bucket_uri: str, s3_config: S3Config) -> None:
    wrong = s3_config.model_copy(update={"access_key": "nobody"})
    with pytest.raises(AccessDenied, match="fix the keys"):
        call(S3Store(bucket_uri, wrong))


@pytest.mark.s3
@every_call
def test_a_missing_bucket_names_what_to_fix(call: Call, s3_config: S3Config) -> None:
    with pytest.raises(BucketMissing, match="'no-such-bucket' does not exist at http") as caught:
        call(S3Store("s3://no-such-bucket/prefix", s3_config))
    assert "AVM_UGC_URI" in str(caught.value)
    assert "Airflow connection 'avm_s3'" in str(caught.value)


@pytest.mark.s3
def test_files_meet_a_missing_bucket_too(s3_config: S3Config, tmp_path: Path) -> None:
    store = S3Store("s3://no-such-bucket", s3_config)
    with pytest.raises(BucketMissing):
        store.download("a", tmp_path / "target")
    for size in (10, 20_000_000):
        (tmp_path / "source").write_bytes(bytes(size))
        with pytest.raises(BucketMissing):
            store.upload("a", tmp_path / "source")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@every_call
def test_a_dead_endpoint_is_unavailable(call: Call) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    config = S3Config(
        endpoint_url=f"http://127.0.0.1:{port}",
        access_key="a",
        secret_key="b",
        connection_name="the test",
    )
    with pytest.raises(StoreUnavailable, match=f"no answer from http://127.0.0.1:{port}") as caught:
        call(S3Store("s3://bucket", config))
    assert "endpoint in the test" in str(caught.value)


@pytest.mark.parametrize(("name", "attempts"), [("get", 3), ("put", 3), ("conditional put", 1)])
def test_a_conditional_put_is_never_sent_twice(
    name: str, attempts: int, silent_server: SilentServer
) -> None:
    config = S3Config(endpoint_url=silent_server.url, access_key="a", secret_key="b")
    with pytest.raises(StoreUnavailable, match="check that the server runs"):
        CALLS[name](S3Store("s3://bucket", config))
    assert silent_server.connections == attempts


@pytest.mark.s3
def test_an_old_version_can_be_downloaded(
    bucket_uri: str, s3_config: S3Config, tmp_path: Path
) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=s3_config.endpoint_url,
        aws_access_key_id=s3_config.access_key,
        aws_secret_access_key=s3_config.secret_key,
        region_name="us-east-1",
    )
    client.put_bucket_versioning(
        Bucket=bucket_uri.removeprefix("s3://"), VersioningConfiguration={"Status": "Enabled"}
    )
    store = S3Store(bucket_uri, s3_config)
    versions = {}
    for value in (b"first", b"second", b"third"):
        store.put("a/film", value)
        versions[store.head("a/film").version_id] = value
    assert len(versions) == 3
    assert "" not in versions
    for version, value in versions.items():
        store.download("a/film", tmp_path / "film", version_id=version)
        assert (tmp_path / "film").read_bytes() == value
    store.delete("a/film")
    with pytest.raises(ObjectMissing):
        store.get("a/film")
    store.download("a/film", tmp_path / "film", version_id=next(iter(versions)))
    assert (tmp_path / "film").read_bytes() == b"first"
    with pytest.raises(ObjectMissing, match="version"):
        store.download("a/film", tmp_path / "film", version_id="0" * 32)
    for version, value in versions.items():
        assert store.get_range("a/film", 1, 4, version_id=version) == value[1:4]
    with pytest.raises(ObjectMissing, match="version"):
        store.get_range("a/film", 0, 1, version_id="0" * 32)


@pytest.mark.s3
def test_making_a_bucket_twice_at_once_is_fine(s3_config: S3Config, bucket_uri: str) -> None:
    stores = [S3Store(f"{bucket_uri}-{suffix}", s3_config) for suffix in "xxxxyy"]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(S3Store.ensure_bucket, stores))
    stores[0].put("a", b"1")
    for store in stores:
        store.ensure_bucket()
    assert stores[0].get("a") == b"1"
    assert list(stores[-1].list()) == []


@pytest.mark.s3
def test_making_a_bucket_with_a_wrong_secret(s3_config: S3Config) -> None:
    wrong = s3_config.model_copy(update={"secret_key": "wrong"})
    for name in ("s3://brand-new-bucket", "s3://other-new-bucket/prefix"):
        with pytest.raises(AccessDenied):
            S3Store(name, wrong).ensure_bucket()


@pytest.mark.s3
def test_a_pickled_store_still_works(bucket_uri: str, s3_config: S3Config) -> None:
    store = S3Store(f"{bucket_uri}/prefix", s3_config)
    store.put("a", b"1")
    copy = pickle.loads(pickle.dumps(store))
    assert copy.get("a") == b"1"
    assert copy.uri == store.uri


@pytest.mark.parametrize("prefix", ["", "p", "p/", "p/q", "p/q/"])
def test_a_listing_by_path_parts_is_put_in_key_order(prefix: str) -> None:
    generator = random.Random(5)
    names = ["a", "a-", "a-b", "a.", "a b", "ab", "a0", "b", "b+", "Ж", "Ж!"]
    keys = {
        prefix + "/".join(generator.choices(names, k=generator.randint(1, 4))) for _ in range(400)
    }
    by_parts = sorted(keys, key=lambda key: key.split("/"))
    infos = (ObjectInfo(key, 1, "", datetime(2026, 1, 1, tzinfo=UTC)) for key in by_parts)
    assert by_parts != sorted(keys)
    assert [info.key for info in in_key_order(infos, prefix)] == sorted(keys)


@pytest.mark.parametrize("uri", ["s3://", "s3:///key", "file:///x", "bucket"])
def test_refuses_other_uris(uri: str) -> None:
    with pytest.raises(BadSettings, match="must look like s3://bucket"):
        S3Store(uri, S3Config())


@pytest.mark.parametrize(
    ("uri", "config"),
    [
        ("s3://no such bucket", S3Config(endpoint_url="http://127.0.0.1:1", access_key="a")),
        ("s3://bucket", S3Config(endpoint_url="no url", access_key="a", secret_key="b")),
    ],
)
def test_settings_that_cannot_work_are_not_retried(uri: str, config: S3Config) -> None:
    with pytest.raises(AvmError) as caught:
        S3Store(uri, config).get("a")
    assert isinstance(caught.value, Terminal)
    assert not isinstance(caught.value, Transient)
