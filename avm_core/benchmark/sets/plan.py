"""Which uploads a set has: every case of the menus on titles in turn, and clean ones."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from avm_core.benchmark.edits import Clip, Edit
from avm_core.benchmark.sets.cases import PLAIN_PICTURE, PLAIN_SOUND, Beds, Case
from avm_core.benchmark.sets.material import Material
from avm_core.benchmark.sets.menu_picture import picture_cases
from avm_core.benchmark.sets.menu_sound import sound_cases
from avm_core.benchmark.sets.recipes import UgcRecipe
from avm_core.benchmark.sources.catalogue import Source

T = TypeVar("T")

_MARGIN = 0.3  # seconds kept from a title's last frame
_CLEAN = 90.0  # seconds of a clean upload, where its sources are long enough


@dataclass(frozen=True, slots=True)
class MadeTitle:
    """A built title that uploads may be cut from; `shared` seconds at its start are others' too."""

    path: Path
    duration: float
    works: tuple[str, ...]
    shared: float
    picture: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each menu is run through, and how many clean uploads there are; `names` keeps
    only these edits, `strengths` only these strengths (empty: all)."""

    sound: int
    picture: int
    clean_sound: int
    clean_picture: int
    names: tuple[str, ...] = ()
    strengths: tuple[str, ...] = ()


def plan_uploads(
    titles: Sequence[MadeTitle],
    material: Material,
    speech: Path,
    counts: Counts,
    rng: random.Random,
) -> list[UgcRecipe]:
    """Recipes of all uploads in a fixed order; the same for the same arguments."""
    planner = _Planner(titles, material, speech, rng)
    uploads = []
    for turn in range(max(counts.sound, counts.picture)):
        beds = planner.beds()
        cases = list(sound_cases(beds, rng)) if turn < counts.sound else []
        cases += picture_cases(beds, rng) if turn < counts.picture else []
        for case in cases:
            wanted = not counts.names or case.edit.name in counts.names
            strong = not counts.strengths or case.strength in counts.strengths
            if wanted and strong:
                uploads += planner.upload(case, turn)
    uploads += planner.clean(counts.clean_sound, picture=False)
    uploads += planner.clean(counts.clean_picture, picture=True)
    return uploads + planner.intros()


class _Planner:
    def __init__(
        self, titles: Sequence[MadeTitle], material: Material, speech: Path, rng: random.Random
    ) -> None:
        self._rng = rng
        self._material = material
        self._speech = speech
        tracks = [title for title in titles if not title.picture] or list(titles)
        films = [title for title in titles if title.picture]
        self._pools = {False: self._turns(tracks), True: self._turns(films)}
        self._sharing = {
            False: self._turns([title for title in tracks if title.shared]),
            True: self._turns([title for title in films if title.shared]),
        }
        self._all = list(titles)
        self._foreign = {
            False: self._turns(material.songs),
            True: self._turns(material.footage),
        }

    def _turns(self, items: Sequence[T]) -> Iterator[T]:  # evenly used, in shuffled order
        order = list(items)
        self._rng.shuffle(order)
        return itertools.cycle(order)

    def beds(self) -> Beds:
        song, footage = next(self._foreign[False]), next(self._foreign[True])
        return Beds(self._speech, song.path, footage.path)

    def upload(self, case: Case, turn: int) -> list[UgcRecipe]:
        """One upload, or none where no title suits the case."""
        pool = self._sharing if case.shape == "shared" else self._pools
        title = next(pool[case.picture], None)
        if title is None:
            return []
        titles = [title]
        if case.shape == "several_titles":
            titles = self._distinct(title, case)
        clips = self._clips(titles, case)
        edit = case.edit if case.picture else replace(case.edit, drop="picture")
        return [
            UgcRecipe(
                media_id=f"{edit.name}_{case.strength}_{turn}",
                suffix=case.file_suffix,
                clips=tuple(clips),
                edit=edit,
                strength=case.strength,
                works=tuple(sorted({work for t in titles for work in t.works})),
                video=case.video or PLAIN_PICTURE,
                audio=case.audio or PLAIN_SOUND,
            )
        ]

    def _distinct(self, first: MadeTitle, case: Case) -> list[MadeTitle]:
        chosen = [first]
        for title in itertools.islice(self._pools[case.picture], 4 * case.count):
            if title not in chosen and len(chosen) < case.count:
                chosen.append(title)
        return chosen

    def _clips(self, titles: Sequence[MadeTitle], case: Case) -> list[Clip]:
        count = case.count if case.shape == "several_excerpts" else 1
        cut = [clip for title in titles for clip in self._excerpts(title, case, count)]
        if case.shape in ("several_excerpts", "several_titles"):
            gaps = (self._between(case, 3.0, 7.0) for _ in cut)
            return [clip for pair in zip(cut, gaps, strict=True) for clip in pair]
        framed = case.shape == "inside" or (case.shape == "excerpt" and self._rng.random() < 0.5)
        if not framed:
            return cut
        return [self._between(case, 5.0, 12.0), *cut, self._between(case, 5.0, 12.0)]

    def _excerpts(self, title: MadeTitle, case: Case, count: int) -> list[Clip]:
        """`count` stretches from as many equal parts of the title, in any order."""
        first = 0.0 if case.shape == "shared" else title.shared
        part = (title.duration - _MARGIN - first) / count
        clips = []
        for number in range(count):
            seconds = self._rng.uniform(*case.seconds) * case.edit.speed
            length = min(seconds, part)
            slack = 0.0 if case.shape == "shared" else part - length
            start = first + number * part + self._rng.uniform(0.0, slack)
            clips.append(Clip(title.path, round(start, 3), round(start + length, 3)))
        self._rng.shuffle(clips)
        return clips

    def _between(self, case: Case, low: float, high: float) -> Clip:
        return self._stretch(next(self._foreign[case.picture]), self._rng.uniform(low, high))

    def _stretch(self, source: Source, seconds: float) -> Clip:
        length = min(seconds, source.duration - 0.2)
        start = self._rng.uniform(0.0, source.duration - 0.2 - length)
        return Clip(source.path, round(start, 3), round(start + length, 3), licensed=False)

    def clean(self, count: int, *, picture: bool) -> list[UgcRecipe]:
        """Uploads of foreign material alone; every third one without a picture is speech."""
        made = []
        for number in range(count):
            spoken = bool(self._material.speech) and not picture and number % 3 == 2
            sources = [next(self._foreign[picture]) for _ in range(2)]
            clips = tuple(self._stretch(source, _CLEAN / 2) for source in sources)
            works = tuple(sorted({source.work for source in sources}))
            if spoken:
                start = 8.0 * number % 100
                clips = (Clip(self._speech, start, start + _CLEAN, licensed=False),)
                works = ("speech",)
            name = "clean_film" if picture else "clean_speech" if spoken else "clean_music"
            made.append(self._untouched(f"{name}_{number:02d}", clips, name, works, picture))
        return made

    def intros(self) -> list[UgcRecipe]:
        """Uploads with nothing licensed but the shared intro, shorter than any match."""
        made: list[UgcRecipe] = []
        for title in self._all:
            if title.shared:
                shared = Clip(title.path, 0.0, title.shared, licensed=False)
                foreign = [next(self._foreign[title.picture]) for _ in range(2)]
                before, after = (self._stretch(source, 14.0) for source in foreign)
                name = "intro_only" if title.picture else "jingle_only"
                works = tuple(sorted({source.work for source in foreign}))
                clips = (before, shared, after)
                made.append(
                    self._untouched(f"{name}_{len(made)}", clips, name, works, title.picture)
                )
        return made

    def _untouched(
        self, media_id: str, clips: tuple[Clip, ...], name: str, works: tuple[str, ...], film: bool
    ) -> UgcRecipe:
        edit = Edit(name, drop="nothing" if film else "picture")
        suffix = ".mp4" if film else ".m4a"
        return UgcRecipe(media_id, suffix, clips, edit, "", works, PLAIN_PICTURE, PLAIN_SOUND)
