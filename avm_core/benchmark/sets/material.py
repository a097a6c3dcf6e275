"""Which sources of a split become titles, and which stay foreign: no work is both."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avm_core.benchmark.sets.manifest import Skipped
from avm_core.benchmark.sources.catalogue import Source, sources
from avm_core.errors import BadMedia, BadSettings
from avm_core.media.probe import probe

_FILM_KINDS = ("camera", "animation", "graphics")
_FILM_SHARE = 0.7  # of the seconds of footage; the rest is foreign
_FOREIGN_TRACKS = 14  # at least; all that no title needs is foreign
_SCORES = 16


@dataclass(frozen=True, slots=True)
class Material:
    """Sources by what they are used for. `tracks` and `films` become licensed titles,
    `scores` is music under films, `jingle` and `intro` are what titles share; `songs`,
    `footage` and `speech` are never licensed."""

    tracks: tuple[Source, ...]
    films: tuple[Source, ...]
    scores: tuple[Source, ...]
    jingle: Source | None
    intro: Source | None
    songs: tuple[Source, ...]
    footage: tuple[Source, ...]
    speech: tuple[Source, ...]
    skipped: tuple[Skipped, ...] = ()


def split_material(split: str, cache_dir: Path, titles: int, rng: random.Random) -> Material:
    """The material of one split, with tracks for at most `titles` music titles; downloaded
    into `cache_dir` on first use."""
    music, bad_music = sources(split, cache_dir, kinds=("music",), min_seconds=40)
    speech, bad_speech = sources(split, cache_dir, kinds=("speech",), min_seconds=1.5)
    films, bad_films = sources(split, cache_dir, kinds=_FILM_KINDS, min_seconds=8)
    sounding = _one_of_each_work([source for source in music if source.audio])
    rng.shuffle(sounding)
    pictured = _one_of_each_work([source for source in films if source.video])
    rng.shuffle(pictured)
    if len(sounding) < _FOREIGN_TRACKS + _SCORES + 10 or len(pictured) < 8:
        raise BadSettings(
            f"split {split!r} has only {len(sounding)} usable tracks and {len(pictured)} films: "
            f"make its packages available (the skipped ones say why they are not)"
        )
    kept, foreign = _shared_out(pictured)
    foreign_tracks = max(_FOREIGN_TRACKS, len(sounding) - _SCORES - titles - 1)
    songs, scores = sounding[:foreign_tracks], sounding[foreign_tracks:][:_SCORES]
    rest = sounding[foreign_tracks + _SCORES :]
    intro = max(foreign, key=lambda source: min(source.duration, 20))
    return Material(
        tracks=tuple(rest[1:]),
        films=tuple(kept),
        scores=tuple(scores),
        jingle=rest[0],
        intro=intro,
        songs=tuple(songs),
        footage=tuple(source for source in foreign if source.work != intro.work),
        speech=tuple(source for source in speech if source.audio),
        skipped=(*bad_music, *bad_speech, *bad_films),
    )


def _one_of_each_work(found: Sequence[Source]) -> list[Source]:
    """The longest copy of each work."""
    longest: dict[str, Source] = {}
    for source in found:
        if source.work not in longest or source.duration > longest[source.work].duration:
            longest[source.work] = source
    return list(longest.values())


def _shared_out(films: Sequence[Source]) -> tuple[list[Source], list[Source]]:
    """Films for titles, and the rest."""
    total = sum(film.duration for film in films)
    kept: list[Source] = []
    seconds = 0.0
    for film in films:
        if seconds < _FILM_SHARE * total:
            kept.append(film)
            seconds += film.duration
    return kept, [film for film in films if film not in kept]


def folder_material(folder: Path) -> Material:
    """The media of `make demo`: `titles/` become licensed, `clean/` and `music/` foreign."""
    skipped: list[Skipped] = []
    found = {name: _folder(folder / name, skipped) for name in ("titles", "clean", "music")}
    if not found["titles"] or not found["music"] or not found["clean"]:
        raise BadSettings(f"{folder} needs media in titles/, clean/ and music/: give another")
    return Material(
        tracks=(),
        films=tuple(found["titles"]),
        scores=(),
        jingle=None,
        intro=None,
        songs=tuple(found["music"]),
        footage=tuple(found["clean"]),
        speech=(),
        skipped=tuple(skipped),
    )


def _folder(folder: Path, skipped: list[Skipped]) -> list[Source]:
    found = []
    for path in sorted(folder.glob("*.*")):
        try:
            info = probe(path)
        except BadMedia as error:
            skipped.append(Skipped(path.name, str(error)))
            continue
        found.append(
            Source(
                work=path.stem,
                package=folder.name,
                kind="music" if info.video is None else "camera",
                split="smoke",
                path=path,
                duration=info.duration,
                audio=info.audio is not None,
                video=info.video is not None,
            )
        )
    return found
