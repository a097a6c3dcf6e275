"""`avm score`: matches against a ground truth."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from avm_core.evaluate.metrics import score
from avm_core.evaluate.truth import read_matches, read_truth


def run(arguments: argparse.Namespace) -> None:
    """Print every metric as JSON, with or without `--json`: that is its contract."""
    truth = read_truth(Path(arguments.truth))
    matches = read_matches(Path(arguments.matches))
    print(json.dumps(score(truth, matches, arguments.clean_hours), indent=2))
