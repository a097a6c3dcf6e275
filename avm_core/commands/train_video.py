"""`avm train video`: make a projection for pictures; the configuration says from what and how."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from avm_core.benchmark.sources.catalogue import sources
from avm_core.commands.progress import progress_bar
from avm_core.commands.train_config import read_config, section
from avm_core.models.checkpoint import write_weights
from avm_core.models.device import resolve_device
from avm_core.models.picture_features import FeatureConfig, PictureFeatures
from avm_core.models.projection import weights_of
from avm_core.train.curves import write_curves
from avm_core.train.feature_bank import BankConfig, FeatureBank, open_bank
from avm_core.train.loop import LoopConfig, train
from avm_core.train.picture_recipes import PictureEditConfig
from avm_core.train.pictures import PictureChoice, Shot, shots
from avm_core.train.video import PictureTask, PictureTaskConfig


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train the projection; returns where the weights are, their sha256 and the last scores.

    A run that was stopped goes on where it was, in the bank of features and in the training.
    Raises `BadSettings` for a configuration that cannot be read or is not that of the checkpoint.
    """
    text = read_config(Path(arguments.config))
    choice = section(PictureChoice, text, "data")
    task_config = section(PictureTaskConfig, text, "task")
    loop = replace(section(LoopConfig, text, "loop"), device=resolve_device(arguments.device))
    config = replace(
        section(BankConfig, text, "bank"),
        features=section(FeatureConfig, text, "features"),
        edits=section(PictureEditConfig, text, "edits"),
    )
    out, cache = Path(arguments.out), Path(arguments.sources)
    with progress_bar() as tell:
        bank, missing = open_bank(training_shots(cache, choice), cache / "pictures", config, tell)
        task = PictureTask(task_config, bank, _classes(task_config, config), loop.seed)
        before = task.validate()
        identity = {"task": asdict(task_config), "bank": asdict(config), "data": bank.digest()}
        history = train(task, loop, out, identity, tell)
    write_curves(history, out / "curves.png")
    weights = out / "video_gem.safetensors"
    tensors, needed = weights_of(task.network, task.background(), config.features)
    card = {**identity, **needed, **_data_card(bank), "loop": asdict(loop), "history": history[-1:]}
    digest = write_weights(weights, tensors, card)
    last = history[-1] if history else {}
    start = {f"start_{name}": value for name, value in before.items()}
    return {
        "weights": str(weights),
        "sha256": digest,
        "pictures": len(bank.shots),
        "unreadable": len(missing),
        **start,
        **last,
    }


def training_shots(cache_dir: Path, choice: PictureChoice) -> list[Shot]:
    """The pictures of the train split, in the order of their keys, which is none: what a stopped
    extraction has done is a fair sample."""
    found, _ = sources("train", cache_dir, kinds=("still",))
    every = [s for f in found for s in shots(f.path, f.content, f.package, choice)]
    return sorted(every, key=lambda shot: shot.key)[: choice.most]


def _classes(task: PictureTaskConfig, config: BankConfig) -> Any:
    if task.start != "classes":
        return None
    return PictureFeatures(config.features).class_subspace(task.dims)


def _data_card(bank: FeatureBank) -> dict[str, Any]:
    packages = sorted({shot.package for shot in bank.shots})
    groups = len({shot.group for shot in bank.shots})
    return {"pictures": len(bank.shots), "files": groups, "packages": packages}
