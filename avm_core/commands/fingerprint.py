"""`avm fingerprint`: artefacts of single files, without a catalog."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Any

from avm_core.commands.progress import progress_bar
from avm_core.config import load_settings
from avm_core.errors import BadMedia, BadSettings
from avm_core.fingerprint import codec
from avm_core.fingerprint.registry import Fingerprinter, create
from avm_core.media.probe import probe
from avm_core.types import MediaInfo, Modality


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Write `OUT/<fingerprinter>/<content_id>.safetensors`; unreadable files go to stderr."""
    settings = load_settings()
    names: dict[Modality, str] = {
        "audio": settings.audio_fingerprinter,
        "video": settings.video_fingerprinter,
    }
    makers = {
        modality: create(name, settings.decode, device=settings.device)
        for modality, name in names.items()
        if name and arguments.modality in (modality, "both")
    }
    if not makers:
        raise BadSettings(f"no fingerprinter is set for --modality {arguments.modality}")
    written: dict[str, list[str]] = {}
    unreadable = 0
    with progress_bar() as tell:
        for number, name in enumerate(arguments.files):
            tell("fingerprint", number, len(arguments.files))
            try:
                written[name] = _artefacts(Path(name), makers, Path(arguments.out))
            except (BadMedia, FileNotFoundError) as error:
                unreadable += 1
                print(f"avm: {name}: {type(error).__name__}: {error}", file=sys.stderr)
    return {"artefacts": written, "unreadable": unreadable}


def _artefacts(path: Path, makers: dict[Modality, Fingerprinter], out: Path) -> list[str]:
    info = probe(path)
    with path.open("rb") as file:
        content_id = hashlib.file_digest(file, "sha256").hexdigest()
    paths = []
    for modality, maker in makers.items():
        if not _has(info, modality):
            continue
        target = out / codec.artefact_key(content_id, maker.id)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(codec.encode(maker.fingerprint(path, content_id=content_id, info=info)))
        paths.append(str(target))
    return paths


def _has(info: MediaInfo, modality: Modality) -> bool:
    return (info.audio if modality == "audio" else info.video) is not None
