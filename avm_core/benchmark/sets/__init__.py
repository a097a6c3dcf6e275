"""Benchmark sets: licensed titles, uploads made from them, and a manifest of what was done."""
