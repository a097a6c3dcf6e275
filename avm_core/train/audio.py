"""Train an audio network: the same moment, clean and as an upload has it, must look alike.

Recipe of Chang et al. 2021 (NT-Xent over clean and edited views) with three changes: speed and
pitch are edited together with everything else (Sony's ablation of both is in the field's papers);
several windows of one stretch are in one batch, two stretches of one piece too, so that
the nearest negatives are other moments of the same music; window lengths vary, so that one
network serves windows of any length. `audio_window.toml` does without the first and the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from avm_core.models.audio_encoder import STRIDE
from avm_core.models.audio_networks import AudioNetwork, NetworkConfig, new_network
from avm_core.train.losses import nt_xent
from avm_core.train.sound_edits import EditConfig, Warp, WarpedFilters, draw_warp, edit_mel
from avm_core.train.spectrum_bank import DENSITY, SpectrumBank


@dataclass(frozen=True, slots=True)
class AudioTaskConfig:
    """`pieces` x 2 stretches per batch, `moments` windows in each; `lengths` of windows in
    contexts, one drawn per step; windows of one stretch less than `apart` seconds from each
    other are no negatives; `jitter` seconds by which the two views miss each other."""

    pieces: int = 32
    moments: int = 3
    seconds: float = 8.0
    lengths: tuple[int, ...] = (8, 16, 24, 24, 32)
    apart: float = 1.5
    jitter: float = 0.25
    temperature: float = 0.06
    music_share: float = 0.8
    validation_batches: int = 4


# Validation asks the same of every configuration.
_VALIDATION = {
    "top1": EditConfig(),
    "top1_speech": EditConfig(
        p_speed=0, p_pitch=0, p_mix=1, p_noise=0, p_speech=1, snr=(0, 0), p_room=0, p_gap=0
    ),
    "top1_warped": EditConfig(p_speed=1, p_pitch=1, p_mix=0, p_room=0, p_gap=0),
}


@dataclass(frozen=True, slots=True)
class _Views:
    """Unit vectors [N, D] of clean and of edited windows; of each the piece and its seconds [N]."""

    clean: torch.Tensor
    edited: torch.Tensor
    owners: torch.Tensor
    seconds: torch.Tensor

    def near(self, apart: float) -> torch.Tensor:
        """Pairs of windows [N, N] of one piece that are less than `apart` seconds apart."""
        close = (self.seconds[:, None] - self.seconds[None]).abs() < apart
        return (close & (self.owners[:, None] == self.owners[None])).to(self.clean.device)


class AudioTask:
    """A `Task` of the training loop."""

    def __init__(
        self,
        network: NetworkConfig,
        task: AudioTaskConfig,
        edits: EditConfig,
        bank: SpectrumBank,
        seed: int = 0,
    ) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self._network = new_network(network)
        self._config, self._edits, self._bank = task, edits, bank
        self._filters: WarpedFilters | None = None
        self._music, self._speech = (bank.choose(kind, held=False) for kind in ("music", "speech"))
        self._held = bank.choose(None, held=True)

    @property
    def network(self) -> AudioNetwork:
        return self._network

    @property
    def _contexts(self) -> int:
        """In a stretch."""
        return round(self._config.seconds / self._network.config.context_seconds)

    def loss(self, step: int, generator: torch.Generator) -> torch.Tensor:
        """NT-Xent of one batch of the training pieces."""
        del step
        config = self._config
        picks = self._draw_pieces(config.pieces, generator, config.music_share)
        lengths = config.lengths
        length = lengths[int(torch.randint(len(lengths), (1,), generator=generator))]
        views = self._views(picks.repeat_interleave(2), generator, length, self._edits)
        return nt_xent(views.clean, views.edited, views.near(config.apart), config.temperature)

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Share of edited windows of held-out pieces whose nearest clean one, of all of the
        batches, is their own: `top1` under all edits, `top1_speech` under speech as loud as the
        title, `top1_warped` at other speeds and pitches. Windows are as long as the network's own;
        the edits are the same at every call. Nothing held out, no score."""
        if not self._held:
            return {}
        return {name: self._top1(edits) for name, edits in _VALIDATION.items()}

    def _top1(self, edits: EditConfig) -> float:
        generator = torch.Generator().manual_seed(7)
        every = torch.tensor(self._held)
        parts = []
        for _ in range(self._config.validation_batches):
            picks = torch.randint(len(every), (2 * self._config.pieces,), generator=generator)
            length = self._network.config.window_contexts
            parts.append(self._views(every[picks], generator, length, edits))
        clean = torch.cat([part.clean for part in parts])
        nearest = (torch.cat([part.edited for part in parts]) @ clean.T).argmax(dim=1)
        right = nearest == torch.arange(len(clean), device=nearest.device)
        return float(right.float().mean())

    def _draw_pieces(
        self, count: int, generator: torch.Generator, music_share: float
    ) -> torch.Tensor:
        """Long pieces more often than short ones, but not in proportion."""
        music = torch.rand(count, generator=generator) < music_share
        drawn = torch.empty(count, dtype=torch.long)
        for numbers, wanted in ((self._music, music), (self._speech, ~music)):
            pool = numbers or self._music or self._speech
            weights = torch.tensor([self._bank.seconds(n) ** 0.5 for n in pool])
            picks = torch.multinomial(weights, count, replacement=True, generator=generator)
            drawn[wanted] = torch.tensor(pool)[picks][wanted]
        return drawn

    def _views(
        self, pieces: torch.Tensor, generator: torch.Generator, length: int, edits: EditConfig
    ) -> _Views:
        warp = draw_warp(len(pieces), edits, generator)
        mels, middles = self._mels(pieces, warp, edits, generator)
        at, moments = self._moments(self._contexts - length + 1, warp.speed, generator)
        clean, edited = self._network.windows(mels, at, length).chunk(2)
        return _Views(
            clean.flatten(0, 1),
            edited.flatten(0, 1),
            pieces.repeat_interleave(moments.shape[1]),
            (middles[:, None] + moments).flatten(),
        )

    def _mels(
        self, pieces: torch.Tensor, warp: Warp, edits: EditConfig, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mel power [2 B, mels, T] of a random stretch of each piece, clean above edited, and the
        seconds [B] of their middles."""
        batch, device = len(pieces), self._network.filters.device
        seconds = torch.tensor([self._bank.seconds(n) for n in pieces.tolist()])
        middles = seconds * torch.rand(batch, generator=generator)
        coded = (torch.rand(batch, generator=generator) < edits.p_coded).tolist()
        still = torch.ones(batch)
        clean = self._magnitudes(pieces, middles, still, [False] * batch).to(device)
        # Off by part of a frame: an upload's frames are never cut where the title's are.
        shifted = middles + torch.rand(batch, generator=generator) / self._bank.rate
        heard = self._magnitudes(pieces, shifted, warp.speed, coded).to(device)
        mixed = self._draw_pieces(batch, generator, music_share=1 - edits.p_speech)
        ends = torch.tensor([self._bank.seconds(n) for n in mixed.tolist()])
        places = ends * torch.rand(batch, generator=generator)
        others = self._magnitudes(mixed, places, still, [False] * batch).to(device)
        self._filters = self._filters or WarpedFilters(self._network, self._edits)
        rate = self._network.config.sample_rate / self._network.config.hop
        edited = edit_mel(
            self._filters(heard, warp.pitch.to(device)),
            self._filters(others, None),
            edits,
            rate,
            generator,
        )
        return torch.cat([self._filters(clean, None), edited]), middles

    def _magnitudes(
        self,
        pieces: torch.Tensor,
        middles: torch.Tensor,
        speed: torch.Tensor,
        coded: Sequence[bool],
    ) -> torch.Tensor:
        """Float16 [B, T, bins] around the `middles` (seconds), `speed` hops apart."""
        margin, frames = self._network.config.margin, self._contexts * STRIDE
        offsets = torch.arange(frames + 2 * margin) - (frames - 1) / 2 - margin
        places = middles[:, None] * self._bank.rate + offsets * speed[:, None] * DENSITY
        rows = places.round().long().numpy()
        read = (
            self._bank.read(number, row, coded=is_coded)
            for number, row, is_coded in zip(pieces.tolist(), rows, coded, strict=True)
        )
        return torch.from_numpy(np.stack(list(read)))

    def _moments(
        self, windows: int, speed: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Window numbers [2 count, moments], clean above edited, and the seconds [count, moments]
        from the middle of the stretch that they stand for."""
        config, rate = self._config, 1 / self._network.config.context_seconds
        # An edited window `e` seconds from the middle stands for `e * speed` of the source.
        room = (windows - 1) / 2 / rate * speed.clamp_max(1.0)
        count = len(speed)
        grid = torch.linspace(-1.0, 1.0, config.moments) if config.moments > 1 else torch.zeros(1)
        spread = torch.rand(count, 1, generator=generator) * 0.2 + 0.8
        moments = room[:, None] * grid[None] * spread
        jitter = (torch.rand(count, config.moments, generator=generator) * 2 - 1) * config.jitter
        middle = (windows - 1) / 2
        clean = middle + moments * rate
        edited = middle + (moments + jitter) * rate / speed[:, None]
        at = torch.cat([clean, edited]).round().long().clamp(0, windows - 1)
        return at, moments
