"""A platform on folders and a fresh catalog, and real music to put into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.config import CatalogConfig, Settings
from avm_core.media.write import AudioFormat, VideoFormat
from avm_core.pipeline.platform import Platform
from tests.avm_core.catalog.fresh import migrated

MEDIA = Path(__file__).resolve().parents[3] / "local" / "media"
SMALL = VideoFormat(width=160, height=120, bitrate=60_000)

MakePlatform = Callable[..., Platform]


@pytest.fixture
def make_platform(tmp_path: Path, template: CatalogConfig) -> MakePlatform:
    """make(name, **settings): a migrated platform below tmp_path; sound only unless told."""

    def make(name: str = "one", **settings: object) -> Platform:
        home = tmp_path / name
        for folder in ("licensed", "ugc", "lake"):
            (home / folder).mkdir(parents=True)
        values: dict[str, object] = {
            "licensed_uri": str(home / "licensed"),
            "ugc_uri": str(home / "ugc"),
            "lake_uri": str(home / "lake"),
            "cache_dir": str(home / "cache"),
            "video_fingerprinter": "",
            "catalog": CatalogConfig(
                dsn=f"sqlite:{home / 'catalog.sqlite'}", data_path=f"{home / 'rows'}"
            ),
        }
        platform = Platform(Settings(**(values | settings)))  # type: ignore[arg-type]
        migrated(platform.settings.catalog, template)
        return platform

    return make


@pytest.fixture(scope="session")
def excerpts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Uploads: 24 s out of two titles, and 20 s that copy nothing."""
    folder = tmp_path_factory.mktemp("excerpts")
    clips = {
        "fish": Clip(MEDIA / "titles" / "fish_fillets_intro.mp4", 20.0, 44.0),
        "wanna": Clip(MEDIA / "titles" / "wanna_work_together.mp4", 10.0, 34.0),
        "clean": Clip(MEDIA / "clean" / "pianist.mp4", 5.0, 25.0, licensed=False),
    }
    made = {}
    for name, clip in clips.items():
        made[name] = folder / f"{name}.mp4"
        make_copy(
            [clip],
            made[name],
            Edit(name="reencode"),
            video_format=SMALL,
            audio_format=AudioFormat(bitrate=48_000),
        )
    return made


@pytest.fixture(scope="session")
def titles() -> dict[str, Path]:
    """Two licensed titles."""
    return {
        "fish": MEDIA / "titles" / "fish_fillets_intro.mp4",
        "wanna": MEDIA / "titles" / "wanna_work_together.mp4",
    }
