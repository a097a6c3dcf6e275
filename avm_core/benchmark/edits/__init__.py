"""Pirate-like copies by real edits and real encoders, with a record of what was planted."""

from avm_core.benchmark.edits.copy import make_copy
from avm_core.benchmark.edits.types import Clip, Edit, Planted

__all__ = ["Clip", "Edit", "Planted", "make_copy"]
