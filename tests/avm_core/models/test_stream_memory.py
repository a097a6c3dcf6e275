"""Ten hours pass through a stream in the memory that one hour needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOURS = 10
# In a process of its own: what other tests once needed would hide what this one needs.
PROGRAM = """
import re
from pathlib import Path

import torch

from avm_core.models.audio_encoder import AudioEncoder, EncoderConfig, StreamEncoder
from tests.sounds import chords

torch.set_num_threads(1)
# As wide where something is kept from block to block, and tiny where it is computed.
config = EncoderConfig(n_fft=256, mels=16, channels=(2, 2, 2), width=64, dims=8)
music = chords(60, config.sample_rate)


def peak():
    # MiB of this program alone: `ru_maxrss` would count the process that it was forked from.
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024


def blocks():
    for minute in range(HOURS * 60):
        if minute in (0, 60):
            print(peak())
        for part in (music[:100_000], music[100_000:]):
            yield part


print(sum(len(valid) for _, valid in StreamEncoder(AudioEncoder(config)).describe(blocks())))
print(peak())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux")
def test_ten_hours_need_the_memory_of_one():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("HOURS", str(HOURS))],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    before, one_hour, windows, ten_hours = (float(line) for line in done.stdout.split())
    assert windows == 2 * 3600 * HOURS - 5  # of 3 s, every half second
    assert one_hour - before < 100
    assert ten_hours - one_hour < 20  # its samples alone are 1.1 GiB, its contexts 70 MiB
    assert ten_hours < 1000
