"""From window-level neighbours to copied segments with seconds on both sides (numpy only)."""
