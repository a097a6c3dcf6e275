"""The engine: a stopped run goes on to the same weights, and never under another configuration."""

import json

import pytest
import torch
from torch import nn

from avm_core.errors import BadSettings
from avm_core.train.curves import write_curves
from avm_core.train.loop import LoopConfig, train

CONFIG = LoopConfig(steps=40, warm_up=5, validate_every=10, save_every=10, learning_rate=0.3)


class Regression:
    """y = 3 x + 1, learned from noisy points; can be told to die."""

    def __init__(self, dies_at=None):
        torch.manual_seed(3)
        self.network = nn.Linear(1, 1)
        self.dies_at = dies_at

    def loss(self, step, generator):
        if step == self.dies_at:
            raise KeyboardInterrupt
        x = torch.randn(32, 1, generator=generator)
        return (self.network(x) - 3 * x - 1).square().mean()

    def validate(self):
        return {"slope": float(self.network.weight[0, 0].detach())}


def quiet(*_):
    pass


def test_a_killed_run_ends_in_the_same_weights(tmp_path):
    whole = Regression()
    history = train(whole, CONFIG, tmp_path / "whole", {"data": 1}, quiet)
    assert [row["step"] for row in history] == [10, 20, 30, 40]
    assert history[-1]["loss"] < history[0]["loss"] / 5
    killed = Regression(dies_at=27)
    with pytest.raises(KeyboardInterrupt):
        train(killed, CONFIG, tmp_path / "part", {"data": 1}, quiet)
    again = Regression()
    resumed = train(again, CONFIG, tmp_path / "part", {"data": 1}, quiet)
    assert torch.equal(again.network.weight, whole.network.weight)
    assert torch.equal(again.network.bias, whole.network.bias)
    assert [row["slope"] for row in resumed] == [row["slope"] for row in history]
    assert json.loads((tmp_path / "part" / "history.json").read_text()) == resumed


def test_a_finished_run_is_not_trained_again(tmp_path):
    train(Regression(), CONFIG, tmp_path, {}, quiet)
    assert len(train(Regression(dies_at=0), CONFIG, tmp_path, {}, quiet)) == 4


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path):
    train(Regression(), CONFIG, tmp_path, {"data": 1}, quiet)
    with pytest.raises(BadSettings, match="checkpoint of another configuration"):
        train(Regression(), CONFIG, tmp_path, {"data": 2}, quiet)


def test_curves_are_drawn(tmp_path):
    history = [{"step": n, "loss": 5.0 / n, "top1": n / 10} for n in (1, 2, 3)]
    write_curves(history, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5_000
    write_curves([], tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()
