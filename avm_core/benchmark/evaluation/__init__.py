"""Evaluations on the platform: a benchmark set in the lake, measured by batches, kept as rows."""
