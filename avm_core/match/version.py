"""The matcher's version: stored with every match, and what makes old results stale."""

from __future__ import annotations

from avm_core.config import MatchConfig

ALGORITHM = 4  # raise it when a change of code changes matches


def matcher_version(config: MatchConfig) -> str:
    """`<algorithm>-<config hash>`."""
    return f"{ALGORITHM}-{config.digest()}"
