"""Files that training reads, each made once by processes that can be killed at any time."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")
Progress = Callable[[str, int, int], None]


def make_missing(
    items: Sequence[T],
    paths: Sequence[Path],
    make: Callable[[tuple[T, Path]], None],
    tell: Callable[[int, int], None],
    *,
    chunk: int = 1,
) -> tuple[list[tuple[T, Path]], list[T]]:
    """`make` of each item whose file is not there yet, one process per core, `chunk` items at a
    time: the items that then have their file, with it, and those that have none."""
    pairs = list(zip(items, paths, strict=True))
    todo = [pair for pair in pairs if not pair[1].is_file()]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
        for done, _ in enumerate(pool.map(make, todo, chunksize=chunk)):
            tell(done + 1, len(todo))
    kept = [pair for pair in pairs if pair[1].is_file()]
    made = {path for _, path in kept}
    return kept, [item for item, path in pairs if path not in made]


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    """All of it or nothing: a killed process leaves no half file."""
    partial_path = path.with_suffix(f".{os.getpid()}")
    with partial_path.open("wb") as file:
        np.save(file, array)
    partial_path.replace(path)
