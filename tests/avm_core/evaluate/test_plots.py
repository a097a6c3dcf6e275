"""Plots are files with the marks that the results ask for."""

import numpy as np
from PIL import Image

from avm_core.evaluate.breakdown import Upload, score_by_edit
from avm_core.evaluate.plots import write_plots
from tests.avm_core.evaluate.builders import make_match, make_truth

STRENGTHS = ("heavy", "light", "medium")


def results(edits=("noise", "crop"), strengths=STRENGTHS, found=STRENGTHS):
    uploads = [Upload(f"{e}-{s}", e, s, 0.5, False) for e in edits for s in strengths]
    truth = [make_truth(upload.ugc_id) for upload in uploads]
    matches = [make_match(upload.ugc_id) for upload in uploads if upload.strength in found]
    return score_by_edit(truth, matches, uploads, resamples=20)


def picture(path):
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB")).astype(int)


def test_three_pictures_with_something_on_them(tmp_path):
    systems = {"ours": results(), "weak": results(found=("light",)), "theirs": {"missing": "x"}}
    written = write_plots(systems, tmp_path)
    assert [path.name for path in written] == ["overall.png", "edits.png", "strengths.png"]
    for path in written:
        pixels = picture(path)
        assert min(pixels.shape[:2]) > 150
        assert (pixels.sum(axis=2) < 384).mean() > 0.003


def test_the_heat_map_is_green_where_all_is_found_and_red_where_nothing_is(tmp_path):
    def colours(found):
        write_plots({"ours": results(found=found)}, tmp_path)
        pixels = picture(tmp_path / "edits.png")
        middle = pixels[pixels.shape[0] // 3, : pixels.shape[1] // 2]
        red, green = middle[:, 0], middle[:, 1]
        return (green > red + 60).sum(), (red > green + 60).sum()

    good_green, good_red = colours(STRENGTHS)
    bad_green, bad_red = colours(())
    assert good_green > 20 > good_red
    assert bad_red > 20 > bad_green


def test_pictures_that_would_show_nothing_are_not_written(tmp_path):
    assert write_plots({"theirs": {"missing": "x"}}, tmp_path) == []
    single = write_plots({"ours": results(strengths=("light",))}, tmp_path)
    assert [path.name for path in single] == ["overall.png", "edits.png"]
    clean = score_by_edit([], [], [Upload("a", "none", "", 0.5, True)], resamples=5)
    assert [path.name for path in write_plots({"ours": clean}, tmp_path)] == ["overall.png"]


def test_more_edits_make_a_larger_picture_with_a_row_for_every_six(tmp_path):
    def size(count):
        edits = [f"edit{n}" for n in range(count)]
        write_plots({"ours": results(edits=edits)}, tmp_path)
        return picture(tmp_path / "strengths.png").shape[:2]

    (one_high, one_wide), (seven_high, seven_wide) = map(size, (1, 7))
    assert one_high * 1.5 < seven_high < one_high * 2
    assert one_wide * 3 < seven_wide < one_wide * 6
