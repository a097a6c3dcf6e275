"""The training engine: what every network here is trained by, whatever it looks at.

A task gives a loss per step and a score now and then; the engine owns optimiser, learning rate,
checkpoints, seeds and curves. A run that was killed goes on from its last checkpoint and ends in
the same weights, as every step draws from a generator of its own number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from avm_core.errors import BadSettings

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """`steps` of AdamW with a linear warm-up and a cosine to zero."""

    steps: int = 3_000
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    warm_up: int = 150
    validate_every: int = 250
    save_every: int = 100
    seed: int = 1
    device: str = "cpu"


class Task(Protocol):
    """What is trained."""

    @property
    def network(self) -> nn.Module: ...

    def loss(self, step: int, generator: torch.Generator) -> torch.Tensor:
        """The loss of one batch, drawn from `generator` alone."""

    def validate(self) -> dict[str, float]:
        """Scores on held-out data, higher is better; network in eval mode."""


def train(
    task: Task, config: LoopConfig, folder: Path, identity: dict[str, Any], tell: Tell
) -> list[dict[str, float]]:
    """Train to the end, from the last checkpoint in `folder` if there is one.

    `identity` is everything that shapes the run; raises `BadSettings` if the checkpoint is of
    another. Returns the history: a dict with `step`, `loss` and the scores for each validation.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network = task.network.to(config.device)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    state = _Checkpoint(folder / "checkpoint.pt", {**identity, "loop": _shape(config)})
    step, history = state.load(network, optimiser, config.device)
    losses: list[float] = []
    for step in range(step, config.steps):  # noqa: B020 - goes on where the checkpoint stopped
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * _rate(step, config)
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
        network.train()
        loss = task.loss(step, generator)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
        done = step + 1
        tell("train", done, config.steps)
        if done % config.validate_every == 0 or done == config.steps:
            network.eval()
            mean = sum(losses) / len(losses)
            history.append({"step": float(done), "loss": mean, **task.validate()})
            losses = []
            (folder / "history.json").write_text(json.dumps(history, indent=1) + "\n")
        if done % config.save_every == 0 or done == config.steps:
            state.save(network, optimiser, done, history)
    network.eval()
    return history


def _shape(config: LoopConfig) -> dict[str, Any]:
    # Where it runs and how often it is looked at do not change where it goes.
    aside = ("device", "validate_every", "save_every")
    return {name: value for name, value in asdict(config).items() if name not in aside}


def _rate(step: int, config: LoopConfig) -> float:
    if step < config.warm_up:
        return (step + 1) / config.warm_up
    share = (step - config.warm_up) / max(config.steps - config.warm_up, 1)
    return 0.5 * (1 + math.cos(math.pi * share))


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    path: Path
    identity: dict[str, Any]

    def save(
        self,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        step: int,
        history: list[dict[str, float]],
    ) -> None:
        partial = self.path.with_suffix(".partial")
        state = {
            "identity": json.dumps(self.identity, sort_keys=True),
            "network": network.state_dict(),
            "optimiser": optimiser.state_dict(),
            "step": step,
            "history": history,
        }
        torch.save(state, partial)
        partial.replace(self.path)

    def load(
        self, network: nn.Module, optimiser: torch.optim.Optimizer, device: str
    ) -> tuple[int, list[dict[str, float]]]:
        if not self.path.is_file():
            return 0, []
        state = torch.load(self.path, map_location=device, weights_only=True)
        if state["identity"] != json.dumps(self.identity, sort_keys=True):
            raise BadSettings(
                f"{self.path} is the checkpoint of another configuration: use another --out"
            )
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        return int(state["step"]), list(state["history"])
