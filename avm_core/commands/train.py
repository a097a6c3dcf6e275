"""`avm train`: make weights from media; the configuration says which and how."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from avm_core.benchmark.sources.catalogue import Source, sources
from avm_core.commands import train_video
from avm_core.commands.progress import progress_bar
from avm_core.commands.train_config import read_config, section
from avm_core.errors import BadSettings
from avm_core.models.audio_encoder import EncoderConfig
from avm_core.models.audio_networks import CONFIGS, NetworkConfig
from avm_core.models.checkpoint import write_weights
from avm_core.models.device import resolve_device
from avm_core.train.audio import AudioTask, AudioTaskConfig
from avm_core.train.curves import write_curves
from avm_core.train.loop import LoopConfig, train
from avm_core.train.sound_edits import EditConfig
from avm_core.train.spectrum_bank import (
    Kind,
    Piece,
    SpectrumBank,
    open_bank,
    piece_key,
)

_MIN_MUSIC = 20.0  # seconds; shorter files are effects
_SPEECH_PIECE = 300.0
_HELD_EVERY = 12  # one piece in so many validates


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train what is asked for: `audio` here, `video` in `train_video`."""
    return train_video.run(arguments) if arguments.what == "video" else _audio(arguments)


def _audio(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train an audio network; returns where the weights are, their sha256 and the last scores.

    A run that was stopped goes on from its last checkpoint in `--out`. Raises `BadSettings` for a
    configuration that cannot be read or is not that of the checkpoint.
    """
    text = read_config(Path(arguments.config))
    network = _network(text)
    task_config = section(AudioTaskConfig, text, "task")
    edits = section(EditConfig, text, "edits")
    loop = replace(section(LoopConfig, text, "loop"), device=resolve_device(arguments.device))
    out, sources_dir = Path(arguments.out), Path(arguments.sources)
    with progress_bar() as tell:
        bank, missing = open_bank(training_pieces(sources_dir), sources_dir / "bank", network, tell)
        task = AudioTask(network, task_config, edits, bank, loop.seed)
        identity = {
            network.section: network.to_dict(),
            "task": asdict(task_config),
            "edits": asdict(edits),
            "data": piece_key([piece.key for piece in bank.pieces]),
        }
        history = train(task, loop, out, identity, tell)
    write_curves(history, out / "curves.png")
    weights = out / f"{network.name}.safetensors"
    card = {**identity, **_data_card(bank), "loop": asdict(loop), "history": history[-1:]}
    digest = write_weights(weights, task.network.state_dict(), card)
    last = history[-1] if history else {}
    return {"weights": str(weights), "sha256": digest, "unreadable": missing, **last}


def _data_card(bank: SpectrumBank) -> dict[str, Any]:
    seconds = sum(bank.seconds(number) for number in range(len(bank.pieces)))
    packages = sorted({piece.package for piece in bank.pieces})
    return {"pieces": len(bank.pieces), "hours": round(seconds / 3600, 2), "packages": packages}


def training_pieces(cache_dir: Path) -> list[Piece]:
    """What the train split of the catalogue has: tracks, and spoken lines by package."""
    music, _ = sources("train", cache_dir, kinds=("music",), min_seconds=_MIN_MUSIC)
    speech, _ = sources("train", cache_dir, kinds=("speech",))
    pieces = [_piece(source.work, "music", [source]) for source in music if source.audio]
    for package, lines in _by_package([line for line in speech if line.audio]).items():
        for number, part in enumerate(_parts(lines)):
            pieces.append(_piece(f"{package}/part_{number:03d}", "speech", part))
    return [replace(p, held=n % _HELD_EVERY == _HELD_EVERY - 1) for n, p in enumerate(pieces)]


def _piece(name: str, kind: Kind, found: Sequence[Source]) -> Piece:
    key = piece_key([source.content for source in found])
    return Piece(name, kind, tuple(s.path for s in found), key, found[0].package)


def _by_package(lines: Sequence[Source]) -> dict[str, list[Source]]:
    groups: dict[str, list[Source]] = defaultdict(list)
    for line in lines:
        groups[line.package].append(line)
    return groups


def _parts(lines: Sequence[Source]) -> Iterator[list[Source]]:
    part: list[Source] = []
    for line in lines:
        part.append(line)
        if sum(source.duration for source in part) >= _SPEECH_PIECE:
            yield part
            part = []
    if part:
        yield part


def _network(text: dict[str, Any]) -> NetworkConfig:
    """Whose section the text has; `audio_conv` is meant where it has none."""
    named = [name for name in CONFIGS if name in text]
    if len(named) > 1:
        raise BadSettings(f"the configuration has [{'] and ['.join(named)}]: keep one")
    name = named[0] if named else EncoderConfig.section
    return section(CONFIGS[name], text, name)
