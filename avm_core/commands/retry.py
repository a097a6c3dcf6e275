"""`avm retry`: recorded failures are due now."""

from __future__ import annotations

import argparse
from typing import Any

from avm_core.config import load_settings
from avm_core.pipeline.again import retry_media
from avm_core.pipeline.platform import Platform


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Mark them; the next run of avm_fingerprint tries again."""
    count = retry_media(
        Platform(load_settings()),
        media_ids=arguments.media or (),
        error_classes=arguments.error or (),
    )
    return {"media": count}
