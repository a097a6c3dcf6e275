"""Intake through the real DAGs: odd keys, what is said about media, broken files, retries.

One story told by the fixture `taken`: titles with a manifest, uploads with sidecars and keys that
no one should have chosen, a batch of which most is broken; then a sidecar is corrected, an upload
deleted, and an operator asks for the broken ones to be tried again.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from local import flow
from local.noise import wav

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack

pytestmark = [pytest.mark.airflow, pytest.mark.story]

ODD = (
    "Ёлки + снег & 100%.wav",
    "#1 what?/a=b;c.wav",
    "two  spaces/..tail .wav",
    "long/" + "/".join(["x" * 180] * 4) + ".wav",
)
BROKEN = {f"broken/{number}.mp4": b"no film %d" % number for number in range(12)} | {
    "zero.mp4": b""
}
PATIENCE = 600.0
# A look into the catalog takes a second of a processor that the stack needs.
until = partial(flow.until, patience=PATIENCE, step=5.0)


class Intake:
    """The stack with what was put into it."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.api = stack, stack.api
        self.ugc = stack.platform.media_store("ugc")
        self.licensed = stack.platform.media_store("licensed")

    def media(self) -> dict[str, dict[str, Any]]:
        """Rows that are not gone, by key."""
        rows = self.stack.sql("FROM media WHERE gone_at IS NULL")
        return {row["uri"].split("/", 3)[3]: row for row in rows}

    def waiting(self) -> int:
        rows = self.stack.sql("SELECT waiting FROM backlog WHERE stage = 'fingerprint'")
        return int(rows[0]["waiting"])


@pytest.fixture(scope="module")
def taken(stack: Stack) -> Intake:
    world = Intake(stack)
    world.licensed.put(
        "films/_manifest.csv",
        'key,title,territories,licensed_until\nwar.wav,Война и мир,"ru,by",2027-01-01\n'.encode(),
    )
    world.licensed.put("films/war.wav", wav(0), metadata={"title": "war", "uploader": "label"})
    for number, key in enumerate(ODD):
        world.ugc.put(key, wav(1 + number), metadata={"title": "of the object"})
        world.ugc.put(f"{key}.json", json.dumps({"title": key, "views": number}).encode())
    for key, data in BROKEN.items():
        world.ugc.put(key, data)
    world.ugc.put("zero.mp4.json", b'{"views": "many"}')
    world.api.trigger("avm_discover")
    everything = 1 + len(ODD) + len(BROKEN)
    until("all media", lambda: len(world.media()) == everything)
    until("all fingerprints", lambda: world.waiting() == 0)
    return world


def test_media_are_described_by_manifest_sidecar_and_object(taken: Intake) -> None:
    film = taken.media()["films/war.wav"]
    assert (film["title"], film["territories"], film["uploader"]) == (
        "Война и мир",
        "RU,BY",
        "label",
    )
    assert film["licensed_until"].isoformat().startswith("2027-01-02T00:00")
    for number, key in enumerate(ODD):
        assert (taken.media()[key]["title"], taken.media()[key]["views"]) == (key, number)


def test_broken_files_are_rows_and_every_run_is_green(taken: Intake) -> None:
    rows = taken.stack.sql("SELECT uri, stage, error_class, message FROM errors")
    failed = {r["uri"].split("/", 3)[3] for r in rows if r["error_class"] == "BadMedia"}
    assert failed == set(BROKEN)
    [told] = [r["message"] for r in rows if r["stage"] == "metadata"]
    assert "zero.mp4.json" in told
    assert "'views'" in told
    usable = taken.stack.sql(
        "SELECT count(*) AS n FROM media_fingerprint WHERE status = 'ok' AND modality = 'audio'"
    )
    assert usable == [{"n": 1 + len(ODD)}]
    # Rows are there a moment before their run has ended.
    until("all runs to end", lambda: flow.quiet(taken.api, but="avm_discover"))
    for dag in ("avm_discover", "avm_fingerprint"):
        states = {r["state"] for r in taken.api.runs(dag)} - {"queued", "running"}
        assert states == {"success"}


@pytest.mark.parametrize(
    ("dag", "conf"),
    [
        ("avm_discover", {"role": "films"}),
        ("avm_discover", {"accept_gone": "yes"}),
        ("avm_fingerprint", {"retry_media": ["film.mp4"]}),
    ],
)
def test_wrong_params_are_refused(taken: Intake, dag: str, conf: dict[str, Any]) -> None:
    with pytest.raises(httpx.HTTPStatusError) as caught:
        taken.api.request("POST", f"/dags/{dag}/dagRuns", json={"logical_date": None, "conf": conf})
    assert caught.value.response.status_code == httpx.codes.BAD_REQUEST
    assert next(iter(conf)) in caught.value.response.text


def test_an_operator_has_failures_tried_again(taken: Intake) -> None:
    taken.stack.run("avm_fingerprint", retry_errors=["BadMedia"])
    rows = taken.stack.sql("SELECT DISTINCT attempts FROM errors WHERE error_class = 'BadMedia'")
    assert rows == [{"attempts": 2}]


def test_a_corrected_sidecar_changes_the_row_and_nothing_else(taken: Intake) -> None:
    before, made = taken.media()[ODD[0]], taken.stack.sql("FROM media_fingerprint ORDER BY ALL")
    taken.ugc.put(f"{ODD[0]}.json", b'{"title": "corrected"}')
    taken.api.trigger("avm_discover")
    until("the title", lambda: taken.media()[ODD[0]]["title"] == "corrected")
    after = taken.media()[ODD[0]]
    assert (after["media_id"], after["views"]) == (before["media_id"], None)
    taken.stack.run("avm_fingerprint")
    assert taken.stack.sql("FROM media_fingerprint ORDER BY ALL") == made


def test_a_deleted_upload_is_noticed_and_comes_back(taken: Intake) -> None:
    before = taken.media()[ODD[1]]
    taken.ugc.delete(ODD[1])
    taken.api.trigger("avm_discover")
    until("the deletion", lambda: ODD[1] not in taken.media())
    taken.ugc.put(ODD[1], wav(2))
    taken.api.trigger("avm_discover")
    until("the return", lambda: ODD[1] in taken.media())
    assert taken.media()[ODD[1]]["media_id"] == before["media_id"]
    with taken.stack.platform.catalog() as catalog:
        assert {name: n for name, n in catalog.check().items() if n} == {}
