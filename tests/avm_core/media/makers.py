"""Media files with content that says where it belongs, and files with awkward timestamps."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

RATE = 44_100
SIDE = 64
BITS = 16
# Matrices of an MP4 track header, by the clockwise turns that a player must make.
_TURNS = {
    0: (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000),
    1: (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000),
    2: (-0x10000, 0, 0, 0, -0x10000, 0, 0, 0, 0x40000000),
    3: (0, -0x10000, 0, 0x10000, 0, 0, 0, 0, 0x40000000),
}


def numbered(ordinal):
    """A picture that shows its ordinal: 4 x 4 squares, white for each bit that is set."""
    bits = (ordinal >> np.arange(BITS)) & 1
    squares = np.where(bits.reshape(4, 4), 230, 25).astype(np.uint8)
    grey = np.kron(squares, np.ones((SIDE // 4, SIDE // 4), dtype=np.uint8))
    return np.repeat(grey[:, :, None], 3, axis=2)


def number(picture):
    """The ordinal that a picture shows, whatever its size."""
    side = picture.shape[0] // 4
    means = picture.mean(axis=2).reshape(4, side, 4, side).mean(axis=(1, 3))
    return int(((means.reshape(-1) > 128) << np.arange(BITS)).sum())


def clicks(seconds, at, *, rate=RATE, channels=1, hiss=0.0):
    """Bursts of noise of 5 ms at the seconds `at` of samples [C, N] that only hiss."""
    rng = np.random.default_rng(5)
    samples = hiss * rng.normal(size=(channels, int(seconds * rate))).astype(np.float32)
    burst = rng.uniform(-0.9, 0.9, int(0.005 * rate))
    for second in at:
        first = round(second * rate)
        samples[:, first : first + len(burst)] = burst
    return samples


def onsets(samples, rate, *, bar=0.1):
    """Seconds at which sound rises out of at least 50 ms of silence."""
    loud = np.flatnonzero(np.abs(samples) > bar)
    return loud[np.diff(loud, prepend=-rate) > 0.05 * rate] / rate


def remux(
    source: Path,
    out: Path,
    *,
    shift: dict[str, float] | None = None,
    keep: Callable[[str, float], bool] = lambda kind, time: True,
) -> Path:
    """Copy the packets; `shift` moves a kind of stream by seconds, `keep` drops packets."""
    with av.open(str(source)) as reader, av.open(str(out), "w") as writer:
        streams = {s.index: writer.add_stream_from_template(s) for s in reader.streams}
        for packet in reader.demux():
            if packet.pts is None:
                continue
            kind = packet.stream.type
            if not keep(kind, float(packet.pts * packet.time_base)):
                continue
            move = round((shift or {}).get(kind, 0.0) / packet.time_base)
            packet.pts += move
            if packet.dts is not None:
                packet.dts += move
            packet.stream = streams[packet.stream.index]
            writer.mux(packet)
    return out


def with_cover(source: Path, out: Path) -> Path:
    """The sound of `source` as an MP3 with an attached picture."""
    with av.open(str(source)) as reader, av.open(str(out), "w") as writer:
        sound = writer.add_stream_from_template(reader.streams.audio[0])
        cover = writer.add_stream("mjpeg", rate=1)
        cover.width = cover.height = 32
        cover.pix_fmt = "yuvj420p"
        cover.disposition = Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 99, np.uint8), format="rgb24")
        picture = picture.reformat(format="yuvj420p")
        picture.pts = 0
        writer.mux([*cover.encode(picture), *cover.encode(None)])
        for packet in reader.demux(reader.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = sound
                writer.mux(packet)
    return out


def turned(source: Path, out: Path, turns: int) -> Path:
    """An MP4 whose header asks the player for `turns` clockwise quarter turns."""
    data = bytearray(source.read_bytes())
    matrix = data.index(b"tkhd") + 44
    data[matrix : matrix + 36] = struct.pack(">9i", *_TURNS[turns])
    out.write_bytes(data)
    return out


def head(source: Path, out: Path, share: float) -> Path:
    """The first `share` of a file's bytes: an upload that broke off."""
    data = source.read_bytes()
    out.write_bytes(data[: int(len(data) * share)])
    return out


def scribbled(source: Path, out: Path, first: float, last: float) -> Path:
    """The bytes of a file, those between two shares of its length replaced by noise."""
    data = bytearray(source.read_bytes())
    begin, end = int(len(data) * first), int(len(data) * last)
    data[begin:end] = np.random.default_rng(2).bytes(end - begin)
    out.write_bytes(data)
    return out


def write_sound(out: Path, samples, rate, *, layout="mono", codec="pcm_f32le", sizes=(1024,)):
    """Samples [N] on every channel of a layout, in frames of `sizes` over and over."""
    with av.open(str(out), "w") as writer:
        stream = writer.add_stream(codec, rate=rate, layout=layout)
        ordinal = position = 0
        while position < len(samples):
            block = samples[position : position + sizes[ordinal % len(sizes)]]
            packed = np.repeat(block, av.AudioLayout(layout).nb_channels)[None]
            frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
            frame.sample_rate, frame.pts = rate, position
            writer.mux(stream.encode(frame))
            ordinal, position = ordinal + 1, position + len(block)
        writer.mux(stream.encode(None))
    return out


def retimed(source: Path, out: Path, late: Callable[[int], float]) -> Path:
    """Copy the packets of a Matroska file, packet n shown late by so many seconds."""
    with av.open(str(source)) as reader, av.open(str(out), "w") as writer:
        stream = writer.add_stream_from_template(reader.streams.audio[0])
        for ordinal, packet in enumerate(reader.demux(reader.streams.audio[0])):
            if packet.pts is not None:
                packet.pts += round(late(ordinal) / packet.time_base)
                packet.stream = stream
                writer.mux(packet)
    return out


def declared(path: Path, seconds: float) -> Path:
    """A Matroska file whose header says that it lasts so many seconds."""
    data = bytearray(path.read_bytes())
    value = data.index(b"\x44\x89\x88") + 3
    data[value : value + 8] = struct.pack(">d", seconds * 1000)
    path.write_bytes(data)
    return path
