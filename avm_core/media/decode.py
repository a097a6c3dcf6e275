"""Decode once and in a stream: mono audio in blocks, and about one picture per second.

All times are seconds from the container's start, taken from its timestamps, so that audio
and picture of one file stay on one clock whatever the codec delay.
"""

from avm_core.media.pictures import decode_frames, keyframe_times, sample_pictures
from avm_core.media.sound import decode_audio

__all__ = ["decode_audio", "decode_frames", "keyframe_times", "sample_pictures"]
