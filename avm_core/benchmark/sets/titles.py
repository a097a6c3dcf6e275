"""Licensed titles of a set: whole music tracks, and films cut from real footage with music.

Some share an intro or a jingle, which is what the origin's false positives came from.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from avm_core.benchmark.edits.picture import pictures_at
from avm_core.benchmark.edits.sound import read_sound
from avm_core.benchmark.sets.material import Material
from avm_core.benchmark.sets.recipes import QUICK, Stretch, TitleRecipe
from avm_core.benchmark.sources.catalogue import Source
from avm_core.media.write import AudioFormat, Picture, VideoFormat, write_media
from avm_core.types import Float32

SIZE = (480, 270)
_RATE = Fraction(25)
_SAMPLE_RATE = 44_100
_VIDEO = VideoFormat(
    frame_rate=_RATE, bitrate=500_000, gop=75, width=SIZE[0], height=SIZE[1], options=QUICK
)
_AUDIO = AudioFormat(sample_rate=_SAMPLE_RATE, bitrate=128_000)

# Seconds. Long tracks and films are cut: a set must be built within an hour.
_TRACK = 180.0
_FILM = 110.0
_OWN_FILM = 50.0  # a work of at least this length is a title by itself
_REEL = 60.0  # shorter works are joined until they have this length
_JINGLE, INTRO = 8.0, 10.0
_SHARING = 3  # titles with the same intro


def track_titles(material: Material, copied: int, distractors: int) -> list[TitleRecipe]:
    """Music titles, the first `copied` for uploads; three of them begin with one jingle."""
    tracks = material.tracks[: copied + distractors]
    titles = [
        TitleRecipe(
            media_id=f"track_{number:03d}",
            shots=(),
            sound=(Stretch(track.path, 0.0, min(track.duration, _TRACK), track.work),),
            copied=number < copied,
            note=track.work,
        )
        for number, track in enumerate(tracks)
    ]
    if material.jingle is None:
        return titles
    jingle = _beginning(material.jingle, _JINGLE)
    shared = [
        replace(t, sound=(jingle, *t.sound), shared=_JINGLE, note=f"jingle + {t.note}")
        for t in titles[:_SHARING]
    ]
    return [*shared, *titles[_SHARING:]]


def film_titles(material: Material, rng: random.Random) -> list[TitleRecipe]:
    """Films: long works alone, short ones joined to reels; sound is their own or music.

    Each work is in one film only, so that no two films show the same scene by accident.
    """
    films: list[TitleRecipe] = []
    scores = list(material.scores)
    for group in _groups(material.films):
        shots = _interleaved(group, rng)
        seconds = sum(shot.seconds for shot in shots)
        own = len(group) == 1 and group[0].audio
        sound = shots if own or not scores else (_beginning(scores.pop(0), seconds),)
        films.append(
            TitleRecipe(f"film_{len(films):02d}", shots, sound, copied=True, note=group[0].work)
        )
    return _with_intro(films, material)


def _with_intro(films: list[TitleRecipe], material: Material) -> list[TitleRecipe]:
    if material.intro is None or material.jingle is None:
        return films
    shot = _beginning(material.intro, INTRO)
    start = min(_JINGLE, material.jingle.duration - INTRO)
    tune = Stretch(material.jingle.path, start, start + INTRO, material.jingle.work)
    shared = [
        replace(
            film,
            shots=(shot, *film.shots),
            sound=(tune, *film.sound),
            shared=INTRO,
            note=f"intro + {film.note}",
        )
        for film in films[:_SHARING]
    ]
    return [*shared, *films[_SHARING:]]


def _groups(films: Sequence[Source]) -> list[list[Source]]:
    groups: list[list[Source]] = [[film] for film in films if film.duration >= _OWN_FILM]
    reel: list[Source] = []
    for film in films:
        if film.duration < _OWN_FILM:
            reel.append(film)
            if sum(part.duration for part in reel) >= _REEL:
                groups.append(reel)
                reel = []
    return groups


def _interleaved(group: Sequence[Source], rng: random.Random) -> tuple[Stretch, ...]:
    """The works' shots in turn, as an editor cuts between cameras; one work stays as it is."""
    if len(group) == 1:
        return (_beginning(group[0], _FILM),)
    queues = [_shots(film, rng) for film in group]
    order: list[Stretch] = []
    while any(queues):
        order += [queue.pop(0) for queue in queues if queue]
    return tuple(order)


def _shots(film: Source, rng: random.Random) -> list[Stretch]:
    cuts = [0.0]
    while film.duration - cuts[-1] > 12:
        cuts.append(round(cuts[-1] + rng.uniform(4, 9), 2))
    # The last frames of a file are often missing or black.
    cuts.append(film.duration - 0.1)
    return [Stretch(film.path, start, end, film.work) for start, end in pairwise(cuts)]


def _beginning(source: Source, seconds: float) -> Stretch:
    return Stretch(source.path, 0.0, min(seconds, source.duration - 0.05), source.work)


# --- making -----------------------------------------------------------------------------------


def make_title(recipe: TitleRecipe, out: Path) -> None:
    """Cut, fit and encode one title. Raises `BadMedia` if a source cannot be read."""
    sound = np.concatenate([_samples(stretch) for stretch in recipe.sound])
    if not recipe.shots:
        write_media(out, audio=sound, audio_format=_AUDIO)
        return
    length = round(recipe.seconds * _SAMPLE_RATE)
    # Music shorter than the pictures starts again.
    write_media(
        out,
        video=_pictures(recipe.shots),
        audio=np.resize(sound, length),
        video_format=_VIDEO,
        audio_format=_AUDIO,
    )


def _samples(stretch: Stretch) -> Float32:
    samples = read_sound(stretch.path, _SAMPLE_RATE)
    return samples[round(stretch.start * _SAMPLE_RATE) : round(stretch.end * _SAMPLE_RATE)]


def _pictures(shots: Sequence[Stretch]) -> Iterator[Picture]:
    for shot in shots:
        times = shot.start + np.arange(round(shot.seconds * float(_RATE))) / float(_RATE)
        yield from pictures_at(shot.path, times, SIZE)
