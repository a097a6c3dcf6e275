"""Make the demo's uploads from the licensed titles in `local/media`, with their ground truth."""

from __future__ import annotations

import csv
import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from avm_core.benchmark.edits import Planted, make_copy
from avm_core.benchmark.sets.cache import make_once, recipe_digest
from local.recipes import Recipe, recipes

MEDIA = Path(__file__).resolve().parent / "media"


@dataclass(frozen=True, slots=True)
class Title:
    """A licensed work; `late` marks the one that the demo adds in its second phase."""

    key: str
    path: Path
    metadata: Mapping[str, str]
    late: bool


@dataclass(frozen=True, slots=True)
class Upload:
    """A made upload: `metadata` is the object's S3 user metadata, `claimable` is False where
    the copy is older than the licence, `late` True where it copies the late title."""

    key: str
    path: Path
    metadata: Mapping[str, str]
    planted: tuple[Planted, ...]
    claimable: bool
    late: bool


def load_titles(media: Path = MEDIA) -> list[Title]:
    """The licensed titles of `corpus.toml`, in its order, with their S3 user metadata."""
    listed = tomllib.loads((media / "corpus.toml").read_text(encoding="utf-8"))["file"]
    return [
        Title(
            key=Path(entry["path"]).name,
            path=media / entry["path"],
            metadata={"title": entry["title"], "licensed_from": entry["licensed_from"]},
            late=entry.get("late", False),
        )
        for entry in listed
        if entry["path"].startswith("titles/")
    ]


def build_uploads(out_dir: Path, media: Path = MEDIA) -> list[Upload]:
    """Write every upload, `truth.csv` and `truth.json` into `out_dir`; what is there already
    from the same recipe, sources and code is kept."""
    out_dir.mkdir(parents=True, exist_ok=True)
    titles = load_titles(media)
    uploads = [_build(recipe, out_dir, titles) for recipe in recipes(media)]
    _write_truth(uploads, out_dir)
    return uploads


def _build(recipe: Recipe, out_dir: Path, titles: Sequence[Title]) -> Upload:
    path = out_dir / recipe.key

    def make(partial: Path) -> list[dict[str, Any]]:
        planted = make_copy(
            recipe.clips,
            partial,
            recipe.edit,
            video_format=recipe.video,
            audio_format=recipe.audio,
        )
        return [asdict(stretch) for stretch in planted]

    planted = [Planted(**row) for row in make_once(path, recipe_digest(recipe), make)]
    return Upload(
        key=recipe.key,
        path=path,
        metadata=recipe.metadata,
        planted=tuple(planted),
        claimable=_claimable(recipe.metadata, planted, titles),
        late=bool(_ids(planted) & {title.path.stem for title in titles if title.late}),
    )


def _ids(planted: Sequence[Planted]) -> set[str]:
    return {stretch.licensed_id for stretch in planted}


def _claimable(
    metadata: Mapping[str, str], planted: Sequence[Planted], titles: Sequence[Title]
) -> bool:
    """ISO times of one form and zone compare as text."""
    ids = _ids(planted)
    return any(
        title.path.stem in ids and metadata["uploaded_at"] >= title.metadata["licensed_from"]
        for title in titles
    )


def _write_truth(uploads: Sequence[Upload], out_dir: Path) -> None:
    with (out_dir / "truth.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["ID-piracy", "SEG-piracy", "ID-license", "SEG-license"])
        for upload in uploads:
            writer.writerows(stretch.truth_row(upload.path.stem) for stretch in upload.planted)
    rows = [
        {
            "upload": upload.key,
            "claimable": upload.claimable,
            "late": upload.late,
            "planted": [asdict(stretch) for stretch in upload.planted],
        }
        for upload in uploads
    ]
    (out_dir / "truth.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for made in build_uploads(Path(sys.argv[1])):
        print(made.key, *(stretch.licensed_id for stretch in made.planted))
