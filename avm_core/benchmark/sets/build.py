"""Build a benchmark set by command: titles, uploads, truth and manifest, cached by content."""

from __future__ import annotations

import multiprocessing
import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from avm_core.benchmark.edits import Planted, make_copy
from avm_core.benchmark.sets.cache import make_once, recipe_digest
from avm_core.benchmark.sets.manifest import (
    LicensedItem,
    SetManifest,
    Skipped,
    UgcItem,
    write_manifest,
)
from avm_core.benchmark.sets.material import Material, folder_material, split_material
from avm_core.benchmark.sets.plan import Counts, MadeTitle, plan_uploads
from avm_core.benchmark.sets.recipes import Stretch, TitleRecipe, UgcRecipe
from avm_core.benchmark.sets.titles import film_titles, make_title, track_titles
from avm_core.errors import BadMedia, BadSettings
from avm_core.media.decode import decode_audio
from avm_core.media.probe import probe
from avm_core.media.write import AudioFormat, write_media

R = TypeVar("R")
Progress = Callable[[str, int, int], None]

SEED = 20_260_101
_SPEECH_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class SetSpec:
    """A set by name: how many music titles are copied or only there, and the uploads."""

    copied_tracks: int
    other_tracks: int
    counts: Counts


_SMOKE_EDITS = (
    *("sound_excerpt", "sound_several_titles", "pitch", "volume", "equaliser", "lowpass"),
    *("resample", "noise", "music_over", "reverb", "tempo", "mp3", "opus"),
    *("film_inside_foreign", "film_several_excerpts", "crop", "letterbox", "mirror", "grey"),
    *("logo", "low_bitrate", "frame_rate", "new_sound", "new_picture"),
)
SPECS: dict[str, SetSpec] = {
    "smoke": SetSpec(0, 0, Counts(1, 1, 3, 3, names=_SMOKE_EDITS, strengths=("light",))),
    "dev": SetSpec(24, 30, Counts(4, 2, 120, 10)),
    "test": SetSpec(24, 30, Counts(4, 2, 120, 10)),
}


def build_set(
    name: str,
    out: Path,
    *,
    sources_dir: Path,
    media: Path,
    seed: int = SEED,
    progress: Progress | None = None,
) -> SetManifest:
    """Build set `name` (smoke, dev, test) in `out`; what is there from the same recipes stays.

    `sources_dir` caches the public packages (dev, test), `media` holds the demo's media
    (smoke). Sources that cannot be used are skipped and listed in the manifest. Raises
    `BadSettings` for an unknown set, or where too little material is left.
    """
    if name not in SPECS:
        raise BadSettings(f"unknown set {name!r}: choose one of {', '.join(SPECS)}")
    tell = progress or (lambda stage, done, total: None)
    spec, rng = SPECS[name], random.Random(f"{name}-{seed}")
    for folder in ("licensed", "ugc", "beds"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    smoke = name == "smoke"
    tracks = spec.copied_tracks + spec.other_tracks
    material = folder_material(media) if smoke else split_material(name, sources_dir, tracks, rng)
    recipes = _title_recipes(material, spec, rng, smoke=smoke)
    made = _run(_title, recipes, out / "licensed", tell, "titles")
    titles, items, bad_titles = _titles(recipes, made, out)
    speech = _speech_bed(material, out / "beds")
    uploads = plan_uploads(titles, material, speech, spec.counts, rng)
    copies = _run(_upload, uploads, out / "ugc", tell, "uploads")
    ugc, bad_uploads = _uploads(uploads, copies)
    paths = [*(title.path for title in items), *(upload.path for upload in ugc)]
    _forget_others(out, {Path(path).name for path in paths})
    skipped = (*material.skipped, *bad_titles, *bad_uploads)
    manifest = SetManifest(name, seed, tuple(items), tuple(ugc), skipped)
    write_manifest(manifest, out)
    return manifest


def _title_recipes(
    material: Material, spec: SetSpec, rng: random.Random, *, smoke: bool
) -> list[TitleRecipe]:
    if not smoke:
        tracks = track_titles(material, spec.copied_tracks, spec.other_tracks)
        return [*tracks, *film_titles(material, rng)]
    # The demo's titles are finished films: each is one shot with its own sound.
    whole = [Stretch(f.path, 0.0, f.duration - 0.05, f.work) for f in material.films]
    return [TitleRecipe(s.work, (s,), (s,), copied=True) for s in whole]


# --- work for a pool of processes -------------------------------------------------------------


def _run(
    work: Callable[[Path, R], dict[str, Any]],
    recipes: Sequence[R],
    folder: Path,
    tell: Progress,
    stage: str,
) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    # Fresh processes: forking one that holds threads (torch, pyarrow) can hang the child.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
        for done, result in enumerate(pool.map(partial(work, folder), recipes)):
            tell(stage, done + 1, len(recipes))
            results.append(result)
    return results


def _title(folder: Path, recipe: TitleRecipe) -> dict[str, Any]:
    path = folder / f"{recipe.media_id}{'.mp4' if recipe.shots else '.m4a'}"

    def make(partial_path: Path) -> dict[str, Any]:
        make_title(recipe, partial_path)
        return _probed(partial_path)

    return _made(path, (recipe,), make)


def _upload(folder: Path, recipe: UgcRecipe) -> dict[str, Any]:
    path = folder / f"{recipe.media_id}{recipe.suffix}"

    def make(partial_path: Path) -> dict[str, Any]:
        planted = make_copy(
            recipe.clips,
            partial_path,
            recipe.edit,
            video_format=recipe.video,
            audio_format=recipe.audio,
        )
        return _probed(partial_path) | {"planted": [asdict(stretch) for stretch in planted]}

    return _made(path, (recipe,), make)


def _made(
    path: Path, recipe: tuple[object, ...], make: Callable[[Path], dict[str, Any]]
) -> dict[str, Any]:
    try:
        record: dict[str, Any] = make_once(path, recipe_digest(*recipe), make)
    except (BadMedia, BadSettings) as error:
        return {"path": path.name, "error": str(error)}
    return record | {"path": path.name}


def _probed(path: Path) -> dict[str, Any]:
    info = probe(path)
    return {
        "duration": info.duration,
        "audio": info.audio is not None,
        "video": info.video is not None,
    }


# --- results ----------------------------------------------------------------------------------


def _titles(
    recipes: Sequence[TitleRecipe], made: Sequence[dict[str, Any]], out: Path
) -> tuple[list[MadeTitle], list[LicensedItem], list[Skipped]]:
    titles, items, skipped = [], [], []
    for recipe, record in zip(recipes, made, strict=True):
        if "error" in record:
            skipped.append(Skipped(record["path"], record["error"]))
            continue
        streams = {key: record[key] for key in ("duration", "audio", "video")}
        items.append(
            LicensedItem(
                media_id=recipe.media_id,
                path=f"licensed/{record['path']}",
                works=recipe.works,
                copied=recipe.copied,
                note=recipe.note,
                **streams,
            )
        )
        if recipe.copied:
            path = out / "licensed" / record["path"]
            picture = bool(recipe.shots)
            titles.append(MadeTitle(path, record["duration"], recipe.works, recipe.shared, picture))
    return titles, items, skipped


def _uploads(
    recipes: Sequence[UgcRecipe], made: Sequence[dict[str, Any]]
) -> tuple[list[UgcItem], list[Skipped]]:
    items, skipped = [], []
    for recipe, record in zip(recipes, made, strict=True):
        if "error" in record:
            skipped.append(Skipped(record["path"], record["error"]))
            continue
        items.append(
            UgcItem(
                media_id=recipe.media_id,
                path=f"ugc/{record['path']}",
                duration=record["duration"],
                audio=record["audio"],
                video=record["video"],
                works=recipe.works,
                edit=recipe.edit.name,
                strength=recipe.strength,
                steps=_steps(recipe),
                planted=tuple(Planted(**stretch) for stretch in record["planted"]),
            )
        )
    return items, skipped


def _steps(recipe: UgcRecipe) -> str:
    """What was done, in words that do not depend on where the sources lie."""
    edit = recipe.edit
    parts = [repr(step) for step in (*edit.sound, *edit.picture)]
    if edit.speed != 1:
        parts.append(f"speed {edit.speed} with the pitch {edit.pitch}")
    for name, path in (("sound", edit.new_sound), ("picture", edit.new_picture)):
        parts += [f"{name} replaced by {path.name}"] if path else []
    text = "; ".join(parts)
    for path in (clip.path for clip in recipe.clips):
        text = text.replace(str(path.parent), "…")
    form = f"{recipe.audio.codec} {recipe.audio.bitrate // 1000} kb/s"
    if recipe.suffix == ".mp4":
        size = f"{recipe.video.width}x{recipe.video.height}"
        form += f", {recipe.video.codec} {size} {recipe.video.bitrate // 1000} kb/s"
    return f"{text}; {form}" if text else form


def _speech_bed(material: Material, folder: Path) -> Path:
    """Short spoken lines joined to one file; without any, a song stands in for speech."""
    if not material.speech:
        return material.songs[0].path
    path = folder / "speech.m4a"
    lines, seconds = [], 0.0
    for source in material.speech:
        if seconds < _SPEECH_SECONDS:
            lines.append(source.path)
            seconds += source.duration

    def make(partial_path: Path) -> dict[str, Any]:
        samples = np.concatenate(
            [block for line in lines for block in decode_audio(line, sample_rate=44_100)]
        )
        write_media(partial_path, audio=samples, audio_format=AudioFormat(bitrate=128_000))
        return {}

    make_once(path, recipe_digest(lines), make)
    return path


def _forget_others(out: Path, kept: set[str]) -> None:
    """Files of earlier recipes go: whoever matches the folder must find what the truth says."""
    for folder in ("licensed", "ugc"):
        for path in (out / folder).glob("*.*"):
            if path.is_file() and path.name not in kept:
                path.unlink()
