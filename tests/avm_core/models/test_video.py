"""Picture descriptors: unit vectors, flat pictures dropped, edited copies near, others far."""

import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from avm_core.media.decode import decode_frames
from avm_core.media.write import VideoFormat, write_media
from avm_core.models.video import GemConfig, GemDescriber
from avm_core.types import Frames

MEDIA = Path(__file__).resolve().parents[3] / "local" / "media"
SMALL = GemConfig(size=64)


@pytest.fixture(scope="module")
def untrained():
    """Random weights: enough for shapes and rules."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return GemDescriber(SMALL, weights=None)


@pytest.fixture(scope="module")
def trained():
    return GemDescriber(GemConfig())


@pytest.fixture(scope="module")
def pictures():
    """Pictures of different scenes [16, 224, 224, 3] out of three films."""
    found = []
    for name in ("city_reel", "creature_reel", "bunny_trailer"):
        runs = decode_frames(
            MEDIA / "titles" / f"{name}.mp4", step=9.0, max_keyframe_gap=2.5, size=224
        )
        found.append(np.concatenate([run.pixels for run in runs])[1:])
    joined = np.concatenate(found)
    return joined[np.std(joined, axis=(1, 2, 3)) > 15][:16]


def describe(model, pixels, batch=8):
    runs = [
        Frames(pixels[i : i + batch], np.arange(i, min(i + batch, len(pixels)), dtype=float))
        for i in range(0, len(pixels), batch)
    ]
    parts = list(model.describe(runs))
    return np.concatenate([v for v, _ in parts]), np.concatenate([v for _, v in parts])


def noise_pictures(count, *, seed=0, size=64):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, size, size, 3)).astype(np.uint8)


def test_descriptors_are_unit_vectors(untrained):
    vectors, valid = describe(untrained, noise_pictures(5), batch=2)
    assert vectors.dtype == np.float32
    assert vectors.shape == (5, 256)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert valid.all()


def test_the_number_of_dimensions_follows_the_config():
    for dims in (32, 100):
        model = GemDescriber(GemConfig(size=32, dims=dims), weights=None)
        assert describe(model, noise_pictures(2, size=32))[0].shape == (2, dims)


def test_batches_of_any_size_give_the_same_descriptors(untrained):
    pixels = noise_pictures(6, seed=3)
    wanted, _ = describe(untrained, pixels, batch=6)
    for batch in (1, 4):
        found, _ = describe(untrained, pixels, batch=batch)
        np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_batches_keep_their_place(untrained):
    runs = [Frames(noise_pictures(n, seed=n), np.arange(n, dtype=float)) for n in (3, 1, 2)]
    assert [len(v) for v, _ in untrained.describe(runs)] == [3, 1, 2]
    assert list(untrained.describe([])) == []


def test_flat_pictures_are_not_valid(untrained):
    rng = np.random.default_rng(2)
    flat = [np.full((64, 64, 3), level, dtype=np.uint8) for level in (0, 128, 255)]
    flat.append(np.full((64, 64, 3), (200, 30, 30), dtype=np.uint8))
    flat.append((16 + rng.integers(0, 6, (64, 64, 3))).astype(np.uint8))  # black, with grain
    busy = [*noise_pictures(2), np.kron([[0, 90], [90, 0]], np.ones((32, 32)))[..., None]]
    busy[-1] = np.repeat(busy[-1], 3, axis=2).astype(np.uint8)
    vectors, valid = describe(untrained, np.stack([*flat, *busy]))
    assert valid.tolist() == [False] * 5 + [True] * 3
    assert np.isfinite(vectors).all()


# --- with the real weights --------------------------------------------------------------------


def darker(pixels):
    return (pixels * 0.6).astype(np.uint8)


def cropped(pixels):
    inner = pixels[:, 22:-22, 22:-22].repeat(2, axis=1).repeat(2, axis=2)
    at = (np.arange(224) * inner.shape[1] / 224).astype(int)
    return inner[:, at][:, :, at]


def reencoded(pixels):
    """As a strong compressor leaves it: 60 kbit for each picture."""
    form = VideoFormat(codec="mpeg4", frame_rate=Fraction(1), bitrate=60_000, gop=1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.mkv"
        write_media(path, video=list(pixels), video_format=form)
        runs = list(decode_frames(path, step=1.0, max_keyframe_gap=2.5, size=224))
    return np.concatenate([run.pixels for run in runs])


def boxed(pixels):
    result = np.zeros_like(pixels)
    result[:, 20:-20] = pixels[:, (np.arange(184) * 224 / 184).astype(int)]
    return result


@pytest.mark.parametrize(
    ("edit", "median"), [(darker, 0.9), (cropped, 0.7), (reencoded, 0.8), (boxed, 0.7)]
)
def test_an_edited_copy_is_nearer_than_any_other_picture(trained, pictures, edit, median):
    originals, valid = describe(trained, pictures)
    copies, _ = describe(trained, edit(pictures))
    assert valid.all()
    similarity = copies @ originals.T
    own = np.diag(similarity).copy()
    np.fill_diagonal(similarity, -1)
    assert np.median(own) > median
    assert np.mean(own > similarity.max(axis=1)) > 0.9


def test_pictures_of_other_films_are_far_apart(trained, pictures):
    vectors, _ = describe(trained, pictures)
    far = (vectors @ vectors.T)[np.triu_indices(len(vectors), k=1)]
    assert np.median(far) < 0.4


def test_two_runs_give_equal_descriptors(trained, pictures):
    first, _ = describe(trained, pictures[:4])
    again, _ = describe(GemDescriber(GemConfig()), pictures[:4])
    np.testing.assert_array_equal(first, again)
