"""An artefact holds its fingerprint exactly, is the same bytes every time, and notices damage."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from avm_core.errors import ChecksumMismatch
from avm_core.fingerprint.codec import artefact_key, decode, encode, quantise
from avm_core.types import Fingerprint, FingerprinterId
from tests.builders import make_fingerprint, make_tape

SAMPLES = [
    make_fingerprint(1, content_id="a" * 64),
    make_fingerprint(2, modality="video", invalid=(3.0, 9.0), content_id="b" * 64),
    dataclasses.replace(make_fingerprint(make_tape(3, 1.0)), reason="the sound is too short"),
]
PARTS = make_fingerprint(4, modality="video", seconds=8.0, content_id="d" * 64)
# Two views of each picture, at its time.
PARTS = dataclasses.replace(
    PARTS, view=np.arange(8, dtype=np.int8) % 3, starts=PARTS.starts - np.arange(8) % 3
)
SAMPLES.append(PARTS)
FIELDS = [field.name for field in dataclasses.fields(Fingerprint)]


def assert_equal(found, wanted):
    for name in FIELDS:
        one, two = getattr(found, name), getattr(wanted, name)
        if isinstance(two, np.ndarray):
            assert (one.dtype, one.shape) == (two.dtype, two.shape)
            np.testing.assert_array_equal(one, two)
        else:
            assert one == two


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_round_trip_changes_nothing(sample):
    assert_equal(decode(encode(sample)), sample)


def test_no_reason_takes_no_place_in_the_file():
    """So an artefact that needs none has the bytes that it always had."""
    reasons = [b'"reason' in encode(sample).replace(b"\\", b"") for sample in SAMPLES]
    assert reasons == [bool(sample.reason) for sample in SAMPLES] == [False, False, True, False]


def test_an_artefact_without_views_is_what_it_was_before_there_were_any():
    """So what was made by an earlier version still is read."""
    for sample in SAMPLES:
        assert ("view" in load(encode(sample))) == sample.view.any()
    older = SAMPLES[1]
    found = decode(encode(older))
    assert found.view.dtype == np.int8
    assert found.view.tolist() == [0] * len(older.starts)
    assert found.whole() is found


def test_whole_pictures_alone_are_left_of_views():
    whole = decode(encode(PARTS)).whole()
    np.testing.assert_array_equal(whole.starts, PARTS.starts[::3])
    np.testing.assert_array_equal(whole.descriptors, PARTS.descriptors[::3])
    assert not whole.view.any()
    assert (whole.step, PARTS.step) == (3.0, 3.0)
    with pytest.raises(ValueError, match="disagree"):
        dataclasses.replace(PARTS, view=PARTS.view[:3])


def test_odd_values_survive():
    odd = dataclasses.replace(
        SAMPLES[0],
        content_id="фильм 1",
        duration=1 / 3,
        window=np.float64(0.1),
        starts=SAMPLES[0].starts / 3,
    )
    assert_equal(decode(encode(odd)), odd)


def test_equal_fingerprints_are_equal_bytes():
    for sample in SAMPLES:
        reversed_view = dataclasses.replace(
            sample,
            descriptors=np.asfortranarray(sample.descriptors),
            starts=sample.starts[::-1].copy()[::-1],
            valid=sample.valid[::-1].copy()[::-1],
        )
        assert encode(reversed_view) == encode(sample) == encode(decode(encode(sample)))


def test_another_process_writes_the_same_bytes():
    program = (
        "import hashlib; from avm_core.fingerprint.codec import encode;"
        "from tests.builders import make_fingerprint;"
        "print(hashlib.sha256(encode(make_fingerprint(1, seconds=20.0))).hexdigest())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_different_fingerprints_are_different_bytes():
    sample = SAMPLES[0]
    other = sample.valid.copy()
    other[5] = False
    changed = [
        dataclasses.replace(sample, duration=61.0),
        dataclasses.replace(sample, content_id="c" * 64),
        dataclasses.replace(sample, valid=other),
        dataclasses.replace(sample, fingerprinter=FingerprinterId("audio_test.tape", "ffffffff")),
    ]
    assert len({encode(one) for one in (sample, *changed)}) == 5


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_damaged_byte_is_noticed(data):
    sample = data.draw(st.sampled_from([encode(s) for s in SAMPLES[1:]]))
    at = data.draw(st.integers(0, len(sample) - 1))
    flip = data.draw(st.integers(1, 255))
    damaged = bytearray(sample)
    damaged[at] ^= flip
    try:
        found = decode(bytes(damaged))
    except ChecksumMismatch:
        return
    # What is left are spellings of the same: white space, the order of the header's entries.
    assert encode(found) == sample


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.999])
def test_a_truncated_artefact_is_noticed(share):
    for sample in SAMPLES:
        data = encode(sample)
        with pytest.raises(ChecksumMismatch, match="fingerprint again"):
            decode(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not an artefact, but longer than eight bytes",
        b"\x10" + bytes(7) + b"[1,2,3]         ",
        save({"descriptors": np.zeros((2, 4), np.int8)}),
        save({"descriptors": np.zeros((2, 4), np.int8)}, metadata={"avm": "[]"}),
        save({"descriptors": np.zeros((2, 4), np.int8)}, metadata={"avm": "{}"}),
        save({"descriptors": np.zeros((2, 4), np.int8)}, metadata={"other": "1"}),
    ],
)
def test_foreign_bytes_are_refused(data):
    with pytest.raises(ChecksumMismatch):
        decode(data)


def rewritten(sample, arrays=None, **header):
    """The artefact with some of its header or arrays exchanged, checksum as it was."""
    data = encode(sample)
    size = int.from_bytes(data[:8], "little")
    old = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["avm"])
    return save({**load(data), **(arrays or {})}, metadata={"avm": json.dumps({**old, **header})})


def test_what_was_rewritten_is_refused():
    sample = SAMPLES[0]
    assert_equal(decode(rewritten(sample)), sample)
    for header in ({"duration": 99.0}, {"content_id": "x"}, {"sha256": "0" * 64}):
        with pytest.raises(ChecksumMismatch, match="checksum"):
            decode(rewritten(sample, **header))
    for arrays in (
        {"starts": sample.starts + 1},
        {"valid": ~sample.valid},
        {"view": sample.view + np.int8(1)},
    ):
        with pytest.raises(ChecksumMismatch, match="checksum"):
            decode(rewritten(sample, arrays))


def test_another_format_is_named():
    for version in (0, 99):
        with pytest.raises(ChecksumMismatch, match=f"format {version}"):
            decode(rewritten(SAMPLES[0], format=version))


def test_the_key_is_a_function_of_content_and_fingerprinter():
    keys = {artefact_key(s.content_id, s.fingerprinter) for s in SAMPLES[:2]}
    assert keys == {
        f"fingerprints/audio_test.tape-0123abcd/{'a' * 64}.safetensors",
        f"fingerprints/video_test.tape-4567cdef/{'b' * 64}.safetensors",
    }


# --- quantise ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dims", [96, 256])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_quantised_rows_keep_their_direction(dims, scale):
    rng = np.random.default_rng(dims)
    # Some coordinates matter far more than others, as in real descriptors.
    vectors = (rng.normal(size=(200, dims)) * rng.exponential(size=dims)).astype(np.float32)
    found = quantise(vectors * np.float32(scale))
    assert found.dtype == np.int8
    assert (np.abs(found.astype(int)).max(axis=1) == 127).all()
    rounded = found.astype(np.float64)
    cosine = (rounded * vectors).sum(axis=1) / (
        np.linalg.norm(rounded, axis=1) * np.linalg.norm(vectors, axis=1)
    )
    assert cosine.min() > 0.999


def test_zero_rows_stay_zero():
    vectors = np.zeros((3, 8), np.float32)
    vectors[1] = -2.0
    found = quantise(vectors)
    assert found.tolist() == [[0] * 8, [-127] * 8, [0] * 8]
    assert quantise(np.empty((0, 8), np.float32)).shape == (0, 8)
    whole = dataclasses.replace(
        SAMPLES[0],
        descriptors=found,
        starts=np.arange(3.0),
        valid=np.array([False, True, False]),
        view=np.zeros(3, np.int8),
    )
    assert np.linalg.norm(whole.unit_vectors(), axis=1).tolist() == pytest.approx([0, 1, 0])
