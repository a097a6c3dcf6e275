"""The bank: made once, picture by picture, the same whenever and in whatever order."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from avm_core.errors import BadSettings
from avm_core.models.picture_features import FeatureConfig
from avm_core.train import feature_bank, making
from avm_core.train.feature_bank import BankConfig, open_bank, views
from avm_core.train.pictures import Shot

CONFIG = BankConfig(views=2, features=FeatureConfig(size=32), weights=False)


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(1)
    made = []
    for number in range(4):
        path = tmp_path / f"p{number}.png"
        Image.fromarray(rng.integers(0, 256, (100, 120, 3)).astype(np.uint8)).save(path)
        key = hashlib.sha256(path.name.encode()).hexdigest()[:32]
        made.append(Shot(path, key, key, "p", held=number == 0))
    made[2].path.write_bytes(b"broken")
    return made


class Inline:
    """A pool of this process: what is counted or replaced here is so for the work."""

    def __init__(self, *_, **__):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def map(self, work, jobs, chunksize):
        return map(work, jobs)


@pytest.fixture(autouse=True)
def inline(monkeypatch):
    monkeypatch.setattr(making, "ProcessPoolExecutor", Inline)


def quiet(*_):
    pass


def test_what_was_made_is_not_made_again(pictures, tmp_path):
    bank, missing = open_bank(pictures, tmp_path / "bank", CONFIG, quiet)
    assert missing == ["p2.png"]
    assert bank.features.shape == (3, 3, 2192)
    assert bank.features.dtype == np.float16
    assert (bank.choose(held=True), bank.choose(held=False)) == ([0], [1, 2])
    paths = sorted((tmp_path / "bank").iterdir())
    assert len(paths) == 3
    paths[1].unlink()
    times = [path.stat().st_mtime_ns for path in (paths[0], paths[2])]
    told = []
    again, _ = open_bank(pictures, tmp_path / "bank", CONFIG, lambda *step: told.append(step))
    assert told == [("extract", 1, 2), ("extract", 2, 2)]  # the lost one and the broken one
    assert [path.stat().st_mtime_ns for path in (paths[0], paths[2])] == times
    np.testing.assert_array_equal(again.features, bank.features)
    assert again.digest() == bank.digest()


def test_another_configuration_has_features_of_its_own(pictures, tmp_path):
    open_bank(pictures[:2], tmp_path / "bank", CONFIG, quiet)
    open_bank(pictures[:2], tmp_path / "bank", replace(CONFIG, views=1), quiet)
    assert len(list((tmp_path / "bank").iterdir())) == 4


def test_views_begin_with_the_picture_itself(pictures):
    foreign = [Image.new("RGB", (50, 50), (9, 200, 9))]
    made = views(pictures[0], CONFIG, foreign)
    assert made.shape == (3, 32, 32, 3)
    with Image.open(pictures[0].path) as image:
        plain = np.asarray(image.resize((32, 32), Image.Resampling.BOX))
    np.testing.assert_array_equal(made[0], plain)
    np.testing.assert_array_equal(made, views(pictures[0], CONFIG, foreign))


def test_no_held_picture_is_behind_another(pictures):
    assert pictures[0].held
    assert set(feature_bank._foreign(pictures)) == set(pictures[1:])
    assert views(pictures[0], CONFIG, []).shape == (3, 32, 32, 3)


def test_nothing_readable_is_an_error(pictures, tmp_path):
    with pytest.raises(BadSettings, match="no training picture"):
        open_bank([pictures[2]], tmp_path / "bank", CONFIG, quiet)
