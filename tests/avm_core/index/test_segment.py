"""Segments keep valid windows only, survive bytes and files, and refuse mixtures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from avm_core.errors import BadSettings, ChecksumMismatch, IndexMismatch
from avm_core.index.segment import build_segment, open_segment, read_entries
from tests.avm_core.index.builders import FLAT, HNSW, OTHER, make_batch, make_fingerprint


def test_only_valid_windows_are_stored_in_the_order_of_media_ids():
    valid = np.array([True, False, True, True, False])
    first = make_fingerprint(1, windows=5, valid=valid)
    second = make_fingerprint(2, windows=3)
    segment = build_segment([("z", first), ("a", second)], FLAT)
    assert segment.media_ids == ("a", "z")
    assert segment.media.tolist() == [0, 0, 0, 1, 1, 1]
    assert segment.starts.tolist() == [0.0, 0.5, 1.0, 0.0, 1.0, 1.5]
    np.testing.assert_array_equal(segment.vectors[3:], first.descriptors[valid])


def test_a_zero_row_never_votes():
    fingerprint = make_fingerprint(1, windows=4)
    fingerprint.descriptors[2] = 0
    segment = build_segment([("a", fingerprint), ("b", make_fingerprint(2, windows=2))], FLAT)
    assert segment.starts.tolist() == [0.0, 0.5, 1.5, 0.0, 0.5]


def test_kind_follows_the_number_of_windows():
    batch = [("a", make_fingerprint(1, windows=6)), ("b", make_fingerprint(2, windows=6))]
    small = build_segment(batch, FLAT.model_copy(update={"hnsw_from": 13}))
    large = build_segment(batch, FLAT.model_copy(update={"hnsw_from": 12}))
    assert (small.kind, small.graph) == ("flat", None)
    assert large.kind == "hnsw"
    assert large.graph
    np.testing.assert_array_equal(small.vectors, large.vectors)


@pytest.mark.parametrize("config", [FLAT, HNSW])
def test_file_gives_back_what_was_packed(tmp_path, config):
    built = build_segment(make_batch(3), config)
    path = tmp_path / "segment.safetensors"
    path.write_bytes(built.to_bytes())
    entries = read_entries(built.media_bytes())
    opened = open_segment(path, entries)
    assert isinstance(opened.vectors, np.memmap)
    assert (opened.kind, opened.fingerprinter, opened.dims) == (built.kind, built.fingerprinter, 32)
    assert opened.entries == built.entries
    for name in ("vectors", "media", "starts"):
        np.testing.assert_array_equal(getattr(opened, name), getattr(built, name))


def test_same_media_in_any_order_give_the_same_bytes_in_every_process():
    code = (
        "import hashlib;from tests.avm_core.index.builders import *;"
        "from avm_core.index.segment import build_segment;"
        "s=build_segment(make_batch(3),FLAT);"
        "print(hashlib.sha256(s.to_bytes()+s.media_bytes()).hexdigest())"
    )
    command, root = [sys.executable, "-c", code], Path(__file__).parents[3]
    digests = {
        subprocess.run(command, capture_output=True, check=True, cwd=root).stdout for _ in range(2)
    }
    assert len(digests) == 1
    forward, backward = make_batch(3), make_batch(3)[::-1]
    assert build_segment(forward, FLAT).to_bytes() == build_segment(backward, FLAT).to_bytes()


def test_media_ids_of_any_text_round_trip():
    ids = ["s3://b/фильм 1.mp4", 'quote"\n\u2028line', "a+b%20#c"]
    built = build_segment([(i, make_fingerprint(n, windows=2)) for n, i in enumerate(ids)], FLAT)
    assert {entry.media_id for entry in read_entries(built.media_bytes())} == set(ids)


def test_media_without_valid_windows_make_an_empty_segment(tmp_path):
    silent = make_fingerprint(1, windows=3, valid=np.zeros(3, np.bool_))
    built = build_segment([("a", silent), ("b", silent)], HNSW)
    assert (built.kind, len(built.vectors), built.media_ids) == ("flat", 0, ("a", "b"))
    path = tmp_path / "empty.safetensors"
    path.write_bytes(built.to_bytes())
    opened = open_segment(path, read_entries(built.media_bytes()))
    assert opened.vectors.shape == (0, 32)


def test_mixtures_and_repetitions_are_refused():
    audio = ("a", make_fingerprint(1))
    with pytest.raises(IndexMismatch, match="4567cdef"):
        build_segment([audio, ("b", make_fingerprint(2, fingerprinter=OTHER))], FLAT)
    with pytest.raises(IndexMismatch, match="widths"):
        build_segment([audio, ("b", make_fingerprint(2, dims=16))], FLAT)
    with pytest.raises(BadSettings, match="once"):
        build_segment([audio, audio], FLAT)
    with pytest.raises(BadSettings, match="at least one"):
        build_segment([], FLAT)


@pytest.mark.parametrize("size", [0, 5, 100, -1])
def test_truncated_file_is_a_checksum_mismatch(tmp_path, size):
    built = build_segment(make_batch(2), FLAT)
    path = tmp_path / "segment.safetensors"
    path.write_bytes(built.to_bytes()[:size])
    with pytest.raises(ChecksumMismatch, match=r"segment\.safetensors"):
        open_segment(path, built.entries)


def test_file_of_other_media_or_another_format_is_refused(tmp_path):
    built, other = build_segment(make_batch(2), FLAT), build_segment(make_batch(3), FLAT)
    path = tmp_path / "segment.safetensors"
    path.write_bytes(built.to_bytes())
    with pytest.raises(ChecksumMismatch, match="another number"):
        open_segment(path, other.entries)
    newer = built.to_bytes().replace(b'format_version\\": 1', b'format_version\\": 9')
    path.write_bytes(newer)
    with pytest.raises(IndexMismatch, match="format 9"):
        open_segment(path, built.entries)
