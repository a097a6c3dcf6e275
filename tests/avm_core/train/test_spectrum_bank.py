"""The bank keeps what the encoder would see, twice as dense, and says what it could not read."""

import numpy as np
import pytest
import torch

from avm_core.errors import BadSettings
from avm_core.media.write import AudioFormat, write_media
from avm_core.models.audio_encoder import AudioEncoder, EncoderConfig, StreamEncoder
from avm_core.train.spectrum_bank import DENSITY, Piece, magnitudes, open_bank, piece_key
from tests.sounds import chords

CONFIG = EncoderConfig(mels=16, channels=(4, 4, 4), width=8, dims=12)
RATE = CONFIG.sample_rate


def piece(folder, name, seconds, *, key=None, kind="music"):
    path = folder / f"{name}.m4a"
    write_media(
        path, audio=chords(seconds, RATE, len(name)), audio_format=AudioFormat("aac", RATE, 64_000)
    )
    return Piece(name, kind, (path,), key or piece_key([name]))


def quiet(*_):
    pass


def test_spectra_are_those_of_the_stream():
    samples = chords(6, RATE, 1)
    kept = magnitudes(samples, CONFIG).astype(np.float32) ** 2
    encoder = AudioEncoder(CONFIG)
    mel = torch.cat(list(StreamEncoder(encoder).preprocess([samples])), dim=1)
    # Frame i of the stream is centred on (i + 1/2) hops: an odd place of the bank.
    own = torch.from_numpy(kept[1::DENSITY]) @ encoder.filters
    inside = slice(10, 150)
    stream = mel[: CONFIG.mels, CONFIG.margin :].T[inside]
    assert torch.allclose(own[inside], stream, rtol=0.02, atol=1e-5)


def test_pieces_are_made_once_and_broken_ones_are_named(tmp_path):
    broken = tmp_path / "broken.m4a"
    broken.write_bytes(b"not media")
    pieces = [
        piece(tmp_path, "one", 12),
        Piece("broken", "music", (broken,), "b" * 32),
        piece(tmp_path, "three", 8, kind="speech"),
    ]
    told = []
    bank, missing = open_bank(pieces, tmp_path / "bank", CONFIG, lambda *step: told.append(step))
    assert missing == ["broken"]
    assert [p.name for p in bank.pieces] == ["one", "three"]
    assert bank.seconds(0) == pytest.approx(12, abs=0.2)
    assert bank.choose("speech", held=False) == [1]
    assert told[-1] == ("analyse", 3, 3)
    again, _ = open_bank(pieces, tmp_path / "bank", CONFIG, quiet)
    assert (again.spectra[0] == bank.spectra[0]).all()
    with pytest.raises(BadSettings, match="no piece of the training data can be read"):
        open_bank(pieces[1:2], tmp_path / "bank", CONFIG, quiet)


def test_a_piece_that_went_through_a_codec_stays_in_time(tmp_path):
    # The key decides who is coded: this one divides by the interval.
    bank, _ = open_bank([piece(tmp_path, "one", 10, key="0" * 32)], tmp_path, CONFIG, quiet)
    assert bank.spectra[0].shape[0] == 2
    places = np.arange(100, 400)
    clean = bank.read(0, places).astype(np.float32)
    coded = bank.read(0, places, coded=True).astype(np.float32)
    assert (clean != coded).any()

    def alike(shift):
        other = bank.read(0, places + shift, coded=True).astype(np.float32)
        return np.corrcoef(clean.ravel(), other.ravel())[0, 1]

    best = max(range(-6, 7), key=alike)
    assert abs(best) <= 1  # a 64th of a second
    assert alike(best) > 0.9


def test_outside_of_a_piece_is_silence(tmp_path):
    bank, _ = open_bank([piece(tmp_path, "one", 4)], tmp_path, CONFIG, quiet)
    last = bank.spectra[0].shape[1]
    read = bank.read(0, np.array([-3, 0, 50, last - 1, last, last + 9]))
    assert [bool(row.any()) for row in read[[0, 2, 4, 5]]] == [False, True, False, False]
    assert (read[2] == bank.spectra[0][0, 50]).all()
    assert not bank.read(0, np.array([last + 5, last + 7])).any()
