"""Made descriptors are as many as asked, spread as the real ones, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from avm_core.benchmark.descriptor_sets import grow, likeness, read_prints
from avm_core.errors import BadSettings
from avm_core.fingerprint import codec
from tests.builders import make_fingerprint


def prints(count=12):
    # A shared direction, as real descriptors have.
    made = []
    for seed in range(count):
        one = make_fingerprint(seed, seconds=40.0, invalid=(5.0, 9.0), content_id=f"c{seed}")
        one.descriptors[:, 0] = np.abs(one.descriptors[:, 0])
        made.append(one)
    return made


def test_real_windows_come_first_and_mixtures_fill_up():
    real = prints()
    valid = sum(int(p.valid.sum()) for p in real)
    media = list(grow(real, valid + 5_000))
    assert [name for name, _ in media[:12]] == [p.content_id for p in real]
    np.testing.assert_array_equal(media[3][1].descriptors, real[3].descriptors[real[3].valid])
    assert [len(p.starts) for _, p in media[12:]] == [2_000, 2_000, 1_000]
    assert all(p.fingerprinter == real[0].fingerprinter for _, p in media)
    again = list(grow(real, valid + 5_000))
    np.testing.assert_array_equal(media[-1][1].descriptors, again[-1][1].descriptors)
    few = list(grow(real, 200))
    assert sum(len(p.starts) for _, p in few) == 200


def test_mixtures_are_as_alike_as_strangers_are_and_none_is_a_copy():
    asked, real = prints(40)[:10], prints(40)[10:]
    rows = np.concatenate([p.unit_vectors()[p.valid] for p in asked])
    others = np.concatenate([p.unit_vectors()[p.valid] for p in real])
    made = np.concatenate([p.unit_vectors() for _, p in list(grow(real, 12_000))[30:]])
    strangers, filled = likeness(rows, others), likeness(rows, made)
    assert filled["p50"] == pytest.approx(strangers["p50"], abs=0.03)
    assert filled["p99"] == pytest.approx(strangers["p99"], abs=0.15)
    copies = np.concatenate([p.unit_vectors()[p.valid] for p in real])
    assert likeness(made[:500], copies)["nearest"] < 0.97
    ahead = np.median(np.einsum("ij,ij->i", made[1:], made[:-1]))
    assert ahead > 0.5, "neighbours in time are alike"


def test_prints_are_read_from_the_set_folders_of_one_config(tmp_path):
    made = prints(5)
    for number, fingerprint in enumerate(made):
        config = "aaaa" if number < 3 else "bbbb"
        folder = tmp_path / ("dev" if number % 2 else "test") / "prints" / f"audio_x.v1-{config}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / fingerprint.content_id).write_bytes(codec.encode(fingerprint))
    (tmp_path / "dev/prints/audio_x.v1-aaaa/half").write_bytes(codec.encode(made[0])[:100])
    found = read_prints(tmp_path, "audio_x.v1")
    assert [p.content_id for p in found] == ["c0", "c1", "c2"]
    with pytest.raises(BadSettings, match=r"audio_y\.v1"):
        read_prints(tmp_path, "audio_y.v1")
