"""What each upload of the demo is made of: clips, one edit, encoders and upload time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from avm_core.benchmark.edits import Clip, Edit
from avm_core.benchmark.edits.picture import colours, crop
from avm_core.benchmark.edits.sound import volume
from avm_core.media.write import AudioFormat, VideoFormat

# A cheap preset: the whole corpus is made before a demo, on two cores in well under a minute.
_QUICK = (("preset", "superfast"),)
_WIDE = VideoFormat(width=384, height=216, bitrate=140_000, options=_QUICK)
_PLAIN = AudioFormat(bitrate=48_000)


@dataclass(frozen=True, slots=True)
class Recipe:
    """One upload; `key` is its object key, `metadata` its S3 user metadata."""

    key: str
    clips: tuple[Clip, ...]
    edit: Edit
    metadata: dict[str, str]
    video: VideoFormat = _WIDE
    audio: AudioFormat = _PLAIN


def recipes(media: Path) -> list[Recipe]:
    """Every upload of the demo, made from the files below `media`."""
    return [*_copies(media), *_disguised(media), *_harmless(media)]


def _licensed(media: Path, name: str, start: float, end: float) -> Clip:
    return Clip(media / "titles" / f"{name}.mp4", start, end)


def _foreign(media: Path, name: str, start: float, end: float) -> Clip:
    return Clip(media / "clean" / f"{name}.mp4", start, end, licensed=False)


def _about(title: str, uploaded_at: str) -> dict[str, str]:
    return {"title": title, "uploaded_at": uploaded_at}


def _copies(media: Path) -> list[Recipe]:
    return [
        Recipe(
            key="small_fish.mp4",
            clips=(_licensed(media, "fish_fillets_intro", 20.0, 45.0),),
            edit=Edit(name="reencode"),
            metadata=_about("Two fish on a mission", "2026-03-02T09:15:00Z"),
            video=VideoFormat(width=240, height=180, bitrate=60_000, gop=250, options=_QUICK),
            audio=AudioFormat(bitrate=32_000),
        ),
        Recipe(
            key="quiet_city.mp4",
            clips=(
                _foreign(media, "pianist", 2.0, 12.0),
                _licensed(media, "city_reel", 14.3, 40.3),
                _foreign(media, "dancer", 5.0, 15.0),
            ),
            edit=Edit(name="volume", sound=(volume(-9.0),)),
            metadata=_about("My favourite city moments", "2026-03-03T18:40:00Z"),
        ),
        Recipe(
            key="two_in_one.mp4",
            clips=(
                _licensed(media, "bunny_trailer", 8.0, 33.0),
                _foreign(media, "dancer", 20.0, 26.0),
                _licensed(media, "biniou_visuals", 20.0, 45.0),
            ),
            edit=Edit(name="concat"),
            metadata=_about("Best of both", "2026-03-04T11:05:00Z"),
        ),
        Recipe(
            key="first_seen_bunny.mp4",
            clips=(_licensed(media, "bunny_trailer", 14.0, 44.0),),
            edit=Edit(name="older_than_licence"),
            metadata=_about("A big rabbit", "2025-06-11T07:30:00Z"),
        ),
        Recipe(
            key="new_worlds.mp4",
            clips=(
                _foreign(media, "pianist", 25.0, 30.0),
                _licensed(media, "worlds_reel", 12.0, 42.0),
            ),
            edit=Edit(name="late_title", picture=(colours(0.05, 1.0, 1.0, 0.0),)),
            metadata=_about("Journey to other worlds", "2026-03-05T20:00:00Z"),
        ),
    ]


def _disguised(media: Path) -> list[Recipe]:
    return [
        Recipe(
            key="cropped_creatures.mp4",
            clips=(_licensed(media, "creature_reel", 10.0, 40.0),),
            edit=Edit(name="crop", picture=(crop(0.75),)),
            metadata=_about("Animals up close", "2026-03-03T08:00:00Z"),
        ),
        Recipe(
            key="fast_wanna.mp4",
            clips=(_licensed(media, "wanna_work_together", 8.0, 43.0),),
            edit=Edit(name="speed", speed=1.05),
            metadata=_about("Licences explained, quickly", "2026-03-03T13:20:00Z"),
            video=VideoFormat(width=320, height=234, bitrate=120_000, options=_QUICK),
        ),
        Recipe(
            key="resounded_city.mp4",
            clips=(_licensed(media, "city_reel", 28.0, 58.0),),
            edit=Edit(name="replaced_sound", new_sound=media / "music" / "caves.m4a"),
            metadata=_about("City, calm version", "2026-03-04T16:45:00Z"),
        ),
        Recipe(
            key="listen_to_biniou.mp4",
            clips=(_licensed(media, "biniou_visuals", 15.0, 45.0),),
            edit=Edit(name="replaced_picture", new_picture=media / "clean" / "dancer.mp4"),
            metadata=_about("Dancing to game music", "2026-03-05T10:10:00Z"),
        ),
    ]


def _harmless(media: Path) -> list[Recipe]:
    return [
        Recipe(
            key="piano_evening.mp4",
            clips=(_foreign(media, "pianist", 1.0, 33.0),),
            edit=Edit(name="clean"),
            metadata=_about("Playing at home", "2026-03-04T21:30:00Z"),
        ),
        Recipe(
            key="dance_class.mp4",
            clips=(_foreign(media, "dancer", 1.5, 33.5),),
            edit=Edit(name="clean"),
            metadata=_about("Warming up", "2026-03-05T07:55:00Z"),
        ),
    ]
