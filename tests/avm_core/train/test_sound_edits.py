"""Edits on spectra do to the mel bands what the real thing does to sound."""

import numpy as np
import pytest
import torch

from avm_core.models.audio_encoder import AudioEncoder, EncoderConfig
from avm_core.train import sound_edits
from avm_core.train.sound_edits import EditConfig, WarpedFilters, draw_warp, edit_mel

ENCODER = AudioEncoder(EncoderConfig())
RATE = 8_000
NOTHING = EditConfig(
    **dict.fromkeys(("p_speed", "p_pitch", "p_mix", "p_room", "p_gap", "p_filter"), 0.0),
    **dict.fromkeys(("p_level", "p_holes", "p_coded"), 0.0),
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def tone(hertz):
    time = np.arange(512 * 4) / RATE
    frames = torch.from_numpy(np.sin(2 * np.pi * hertz * time).astype(np.float32)).view(4, 512)
    return ENCODER.power(frames).sqrt()[None]


def middle(mel):
    """Mean band of the energy."""
    power = mel.mean(dim=2)
    return (power * torch.arange(mel.shape[1])).sum(dim=1) / power.sum(dim=1)


@pytest.mark.parametrize("semitones", [-4.0, -1.0, 0.0, 2.0, 4.0])
def test_a_pitched_tone_sounds_where_the_higher_tone_does(semitones):
    filters = WarpedFilters(ENCODER, EditConfig())
    factor = 2 ** (semitones / 12)
    pitched = filters(tone(900.0), torch.tensor([factor]))
    assert float(middle(pitched)) == pytest.approx(
        float(middle(filters(tone(900.0 * factor), None))), abs=0.25
    )


def test_speed_and_pitch_are_drawn_apart_and_together():
    warp = draw_warp(4_000, EditConfig(), seeded())
    assert (warp.speed == 1).float().mean() == pytest.approx(0.4, abs=0.05)
    assert warp.speed.min() > 1 / 1.31
    assert warp.speed.max() < 1.31
    coupled = (warp.speed == warp.pitch) & (warp.speed != 1)
    assert coupled.float().mean() == pytest.approx(0.21, abs=0.04)
    assert ((warp.speed == 1) & (warp.pitch != 1)).any()
    assert ((warp.speed != 1) & (warp.pitch == 1)).any()
    still = draw_warp(50, NOTHING, seeded())
    assert (still.speed == 1).all()
    assert (still.pitch == 1).all()


def test_mixing_keeps_the_ratio():
    mel = torch.rand(3, 64, 2_000, generator=seeded(1))
    foreign = 20 * torch.rand(3, 64, 2_000, generator=seeded(2))
    snr = torch.tensor([10.0, 0.0, -5.0])
    mixed = sound_edits._mixed(mel, foreign, snr, seeded(3))
    added = (mixed - mel).mean(dim=(1, 2)) / mel.mean(dim=(1, 2))
    assert added.tolist() == pytest.approx((10 ** (-snr / 10)).tolist(), rel=0.05)


def test_a_room_rings_after_the_sound_and_never_before():
    mel = torch.zeros(2, 64, 200)
    mel[:, :, 80] = 1.0
    heard = sound_edits._in_room(mel, 32.0, seeded())
    assert not heard[:, :, :80].any()
    assert (heard[:, :, 80] > heard[:, :, 81]).all()
    assert (heard[:, :, 81:100].sum(dim=2) > 0).all()
    assert heard.sum(dim=2).flatten().tolist() == pytest.approx([1.0] * 128, rel=1e-4)


def test_filters_and_levels_act_as_factors():
    mel = torch.rand(40, 64, 50, generator=seeded(4)) + 0.1
    gain = sound_edits._filtered(mel, seeded(5)) / mel
    assert torch.allclose(gain, gain[:, :, :1].expand_as(gain), rtol=1e-4)
    db = 10 * torch.log10(gain[:, :, 0].clamp_min(1e-12))
    assert (db.amin(dim=1) < -20).any()
    loud = mel * torch.linspace(0.01, 10, 50)
    levelled = sound_edits._levelled(loud, seeded(6)).mean(dim=1)
    before = loud.mean(dim=1)
    assert ((levelled[:, -1] / levelled[:, 0]) < (before[:, -1] / before[:, 0])).all()
    assert torch.allclose(
        sound_edits._levelled(loud, seeded(6)) / loud,
        (levelled / before)[:, None].expand_as(loud),
        rtol=1e-3,
    )


def test_holes_and_gaps_leave_nothing_behind():
    mel = 10 ** (-4 * torch.rand(20, 64, 100, generator=seeded(7)))
    holes = sound_edits._with_holes(mel, seeded(8))
    assert 0.02 < (holes == 0).float().mean() < 0.95
    assert torch.equal(holes.amax(dim=1), mel.amax(dim=1))
    gaps = sound_edits._with_gap(mel, 32.0, seeded(9))
    silent = (gaps == 0).all(dim=1).sum(dim=1)
    assert silent.max() <= 1.2 * 32 + 1
    assert silent.float().mean() > 5


def test_without_edits_only_loudness_changes():
    mel = torch.rand(5, 64, 80, generator=seeded(10)) + 0.01
    made = edit_mel(mel, torch.rand(5, 64, 80), NOTHING, 32.0, seeded(11))
    ratio = made / mel
    assert torch.allclose(ratio, ratio[:, :1, :1].expand_as(ratio), rtol=1e-4)
    everything = edit_mel(mel, torch.rand(5, 64, 80), EditConfig(), 32.0, seeded(12))
    assert torch.isfinite(everything).all()
    assert (everything >= 0).all()
