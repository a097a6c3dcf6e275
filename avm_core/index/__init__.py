"""Searchable fingerprints: immutable segments, snapshots of them, and search over a snapshot."""
