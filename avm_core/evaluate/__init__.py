"""Ground truth, metrics and file formats of matches."""
