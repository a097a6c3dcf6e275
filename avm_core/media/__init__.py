"""Reading and writing audio and video files with PyAV (FFmpeg)."""
