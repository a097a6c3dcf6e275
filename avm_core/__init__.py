"""AVM: find licensed audio and video inside user uploads, and say where."""

__version__ = "0.1.0"
