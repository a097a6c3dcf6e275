"""Measurements: sets made by real edits, speed, size."""
