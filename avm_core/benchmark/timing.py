"""How the speed measurements take time: the best of a few runs, and each stage by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from avm_core.config import Settings
from avm_core.fingerprint.parallel import for_each, in_turn
from avm_core.fingerprint.stages import STAGES, Stage
from avm_core.media.decode import decode_audio, sample_pictures
from avm_core.types import Modality

T = TypeVar("T")
REPEATS = 3
HOUR = 3600.0
_SAMPLE_RATE = 16_000  # what the audio fingerprinter asks for


def best_of(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Seconds of the fastest of a few runs: the one that was disturbed least."""
    return min(timed(work) for _ in range(repeats))


def timed(work: Callable[[], object]) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Seconds:
    """Adds up what happens inside `with`: `wall` by the clock, `cpu` of all threads, which a busy
    machine changes less."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def __enter__(self) -> None:
        self.wall -= time.perf_counter()
        self.cpu -= time.process_time()

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter()
        self.cpu += time.process_time()


def decode_file(modality: Modality, path: Path) -> None:
    """What any fingerprint starts with and nothing more, as the default settings ask for it:
    mono sound at 16 kHz, or pictures at key frames."""
    decode = Settings().decode
    blocks: Iterator[object]
    if modality == "audio":
        blocks = in_turn(decode_audio(path, sample_rate=_SAMPLE_RATE))
    else:
        blocks = sample_pictures(path, decode, size=decode.frame_size)
    for _ in blocks:
        pass


def decode_all(modality: Modality, files: Sequence[Path], workers: int = 0) -> None:
    """`decode_file` of all files, as many at once as a batch of fingerprints takes."""
    for_each(partial(decode_file, modality), files, workers)


class Stopwatch:
    """A `Watch` that adds up the time of each stage, over as many files as it is handed to.

    `wait` returns when the device is idle; it is called after each part, which is what keeps
    the work of one stage from showing in the next, and costs a GPU its overlap.
    """

    def __init__(self, wait: Callable[[], None]) -> None:
        self._wait = wait
        self._pulling: dict[Stage, float] = dict.fromkeys(STAGES, 0.0)

    def __call__(self, stage: Stage, parts: Iterator[T], /) -> Iterator[T]:
        while True:
            start = time.perf_counter()
            try:
                part = next(parts)
            except StopIteration:
                return
            finally:
                self._wait()
                self._pulling[stage] += time.perf_counter() - start
            yield part

    def seconds(self) -> dict[Stage, float]:
        """Of each stage alone: pulling a part includes pulling its input."""
        before = dict(zip(STAGES[1:], STAGES, strict=False))
        return {
            stage: spent - (self._pulling[before[stage]] if stage in before else 0.0)
            for stage, spent in self._pulling.items()
        }
