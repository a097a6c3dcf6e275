"""The task: it learns which features edits leave alone, and near duplicates are no negatives."""

from pathlib import Path

import numpy as np
import pytest
import torch

from avm_core.models.projection import Projection
from avm_core.train.feature_bank import FeatureBank
from avm_core.train.loop import LoopConfig, train
from avm_core.train.pictures import Shot
from avm_core.train.video import PictureTask, PictureTaskConfig

SMALL = PictureTaskConfig(batch=64, dims=8, background=20, start="whitened")
LOOP = LoopConfig(steps=12, warm_up=2, validate_every=12, save_every=4, learning_rate=1e-2)


def make_bank(count=200, views=3, seed=1):
    """8 of 40 features belong to the picture; the others change with every view."""
    rng = np.random.default_rng(seed)
    own = rng.standard_normal((count, 1, 8)).repeat(views + 1, axis=1)
    other = rng.standard_normal((count, views + 1, 32))
    features = np.concatenate([own + 0.1 * rng.standard_normal(own.shape), other], axis=2)
    shots = tuple(
        Shot(Path(f"{n}.png"), f"k{n}", f"g{n // 2 if n < 20 else n}", "p", held=n % 4 == 3)
        for n in range(count)
    )
    return FeatureBank(shots, features.astype(np.float16))


@pytest.fixture(scope="module")
def bank():
    return make_bank()


def quiet(*_):
    pass


def test_training_finds_what_edits_leave_alone(bank, tmp_path):
    task = PictureTask(SMALL, bank)
    before = task.validate()
    history = train(task, LoopConfig(steps=150, warm_up=5, learning_rate=1e-2), tmp_path, {}, quiet)
    assert history[-1]["top1"] > max(2 * before["top1"], 0.9)
    assert history[-1]["apart"] > before["apart"]
    weight = task.network.linear.weight.detach().abs().mean(dim=0)
    assert weight[:8].mean() > 3 * weight[8:].mean()


def test_pairs_need_no_training_where_edits_are_that_simple(bank):
    scores = {
        start: PictureTask(PictureTaskConfig(batch=8, dims=8, start=start), bank).validate()
        for start in ("whitened", "pairs")
    }
    assert scores["pairs"]["top1"] > 0.9 > scores["whitened"]["top1"]


def test_the_start_from_classes_is_the_map_that_was_given(bank):
    classes = torch.zeros(40, 8)
    classes[:8] = torch.eye(8)
    config = PictureTaskConfig(batch=8, dims=8, start="classes")
    assert PictureTask(config, bank, classes).validate()["top1"] > 0.9
    with pytest.raises(ValueError, match="classes"):
        PictureTask(config, bank)


def test_a_batch_depends_on_its_generator_alone(bank):
    config = PictureTaskConfig(batch=32, dims=8, noise=0.1, hidden=4)
    losses = [
        float(PictureTask(config, bank).loss(step, torch.Generator().manual_seed(seed)).detach())
        for step, seed in ((1, 5), (9, 5), (1, 6))
    ]
    assert losses[0] == losses[1] != losses[2]


def test_a_killed_run_ends_in_the_same_weights(bank, tmp_path):
    whole, part, again = (PictureTask(SMALL, bank) for _ in range(3))
    train(whole, LOOP, tmp_path / "whole", {}, quiet)

    def dies(_, done, __):
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(part, LOOP, tmp_path / "part", {}, dies)
    train(again, LOOP, tmp_path / "part", {}, quiet)
    assert torch.equal(again.network.linear.weight, whole.network.linear.weight)


def test_moments_of_one_clip_and_near_duplicates_are_no_negatives(bank):
    features = bank.features.copy()
    features[31] = features[30]
    task = PictureTask(SMALL, FeatureBank(bank.shots, features))
    alike = task._alike(torch.tensor([0, 1, 2, 30, 31]))
    wanted = torch.eye(5, dtype=torch.bool)
    wanted[0, 1] = wanted[1, 0] = wanted[3, 4] = wanted[4, 3] = True
    assert torch.equal(alike, wanted)


def test_the_background_is_of_training_pictures_one_of_a_group(bank):
    task = PictureTask(PictureTaskConfig(batch=8, dims=8, background=1_000), bank)
    groups = {shot.group for shot in bank.shots if not shot.held}
    background = task.background()
    assert len(background) == len(groups)
    assert len(PictureTask(SMALL, bank).background()) == 20
    first = torch.from_numpy(bank.features[[0, 3], 0]).float()
    nearest = background.nearest(describe(task.network, first))
    assert nearest[0] == pytest.approx(1.0, abs=1e-3)
    assert nearest[1] < 0.95  # held


@torch.inference_mode()
def describe(network: Projection, features):
    return network(features).numpy()


def test_nothing_held_out_is_no_score():
    bank = make_bank(12)
    trained = tuple(Shot(s.path, s.key, s.group, s.package) for s in bank.shots)
    task = PictureTask(SMALL, FeatureBank(trained, bank.features))
    assert task.validate() == {}
    assert torch.isfinite(task.loss(0, torch.Generator().manual_seed(1)))
