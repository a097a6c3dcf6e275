"""The command line through its entry point: contracts of arguments, files and exit codes."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.media.write import AudioFormat, VideoFormat

ROOT = Path(__file__).resolve().parents[3]
TITLES = ROOT / "local" / "media" / "titles"
AVM = Path(sys.executable).with_name("avm")
COMMANDS = ("match", "fingerprint", "score", "sql", "index", "migrate", "plan", "bench")


def avm(*arguments: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("AVM_")}
    return subprocess.run(
        [str(AVM), *map(str, arguments)],
        cwd=cwd,
        env={**inherited, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """licensed/ with two titles; ugc/ with a 24 s copy of one, a clean clip and a text file."""
    home = tmp_path_factory.mktemp("cli")
    for name in ("licensed", "ugc"):
        (home / name).mkdir()
    for name in ("fish_fillets_intro", "wanna_work_together"):
        (home / "licensed" / f"{name}.mp4").symlink_to(TITLES / f"{name}.mp4")
    small = VideoFormat(width=160, height=120, bitrate=60_000)
    for name, clip in {
        "копия рыбок": Clip(TITLES / "fish_fillets_intro.mp4", 20.0, 44.0),
        "clean": Clip(ROOT / "local" / "media" / "clean" / "pianist.mp4", 5.0, 25.0),
    }.items():
        make_copy(
            [clip],
            home / "ugc" / f"{name}.mp4",
            Edit(name="reencode"),
            video_format=small,
            audio_format=AudioFormat(bitrate=48_000),
        )
    (home / "ugc" / "notes.mp4").write_text("not a film")
    return home


@pytest.fixture(scope="session")
def matched(folders: Path) -> subprocess.CompletedProcess[str]:
    return avm(
        *("match", "--licensed", "licensed", "--ugc", "ugc", "--out", "m.csv", "--json"),
        *("--modality", "audio", "--work", "work", "--errors", "errors.csv"),
        cwd=folders,
    )


def test_match_writes_one_row_per_copied_segment(folders: Path, matched: Any) -> None:
    assert matched.returncode == 0, matched.stderr
    assert json.loads(matched.stdout)["matches"] == 1
    [row] = list(csv.DictReader((folders / "m.csv").open(encoding="utf-8")))
    assert (row["ugc_id"], row["licensed_id"]) == ("копия рыбок", "fish_fillets_intro")
    assert float(row["licensed_start"]) == pytest.approx(20.0, abs=1.0)
    assert float(row["ugc_end"]) == pytest.approx(24.0, abs=1.0)


def test_match_lists_unreadable_files(folders: Path, matched: Any) -> None:
    assert "notes.mp4: BadMedia" in matched.stderr
    [row] = list(csv.DictReader((folders / "errors.csv").open(encoding="utf-8")))
    assert row["error_class"] == "BadMedia"
    assert row["uri"].endswith("ugc/notes.mp4")


def test_score_of_these_matches(folders: Path, matched: Any) -> None:
    header = "ID-piracy,SEG-piracy,ID-license,SEG-license"
    truth = f"{header}\nкопия рыбок.mp4,0-24,fish_fillets_intro.mp4,20-44\n"
    (folders / "truth.csv").write_text(truth, encoding="utf-8")
    done = avm("score", "--truth", "truth.csv", "--matches", "m.csv", cwd=folders)
    scores = json.loads(done.stdout)
    assert scores["f1"] == 1.0
    assert scores["final"] > 0.9
    assert scores["boundary_median_s"] < 1.0


@pytest.mark.parametrize(
    ("layout", "columns"),
    [
        ("rutube", ["ID-piracy", "SEG-piracy", "ID-license", "SEG-license"]),
        (
            "vsc",
            ["query_id", "ref_id", "query_start", "query_end", "ref_start", "ref_end", "score"],
        ),
    ],
)
def test_other_formats_reuse_the_work_folder(
    folders: Path, matched: Any, layout: str, columns: list[str]
) -> None:
    done = avm(
        *("match", "--licensed", "licensed", "--ugc", "ugc", "--out", f"{layout}.csv"),
        *("--modality", "audio", "--work", "work", "--format", layout),
        cwd=folders,
    )
    assert done.returncode == 0, done.stderr
    rows = list(csv.reader((folders / f"{layout}.csv").open(encoding="utf-8")))
    assert rows[0] == columns
    assert len(rows) == 2


def test_no_match_is_still_success_and_parquet_is_written(folders: Path) -> None:
    (folders / "empty").mkdir()
    done = avm(
        "match", "--licensed", "empty", "--ugc", "ugc", "--out", "none.parquet",
        "--modality", "audio", cwd=folders,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert pq.read_table(folders / "none.parquet").num_rows == 0


def test_sql_and_index_on_the_kept_work(folders: Path, matched: Any) -> None:
    work = folders / "work"
    env = {
        "AVM_LAKE_URI": str(work / "lake"),
        "AVM_CATALOG__DSN": f"sqlite:{work / 'catalog.sqlite'}",
        "AVM_CATALOG__DATA_PATH": f"{work / 'rows'}/",
    }
    done = avm("sql", "SELECT count(*) AS n FROM matches", "--json", cwd=folders, **env)
    assert json.loads(done.stdout) == [{"n": 1}]
    report = avm("sql", "--report", "errors", "--csv", cwd=folders, **env)
    assert "BadMedia" in report.stdout
    assert avm("sql", "DELETE FROM match", cwd=folders, **env).returncode == 2
    status = json.loads(avm("index", "verify", "--json", cwd=folders, **env).stdout)
    assert status["ugc_audio"]["windows"] > 0
    assert status["ugc_video"] == "not published yet"
    segment = next((work / "lake" / "index" / "ugc_audio" / "segments").glob("*.safetensors"))
    data = bytearray(segment.read_bytes())
    data[-1] ^= 1
    segment.write_bytes(data)
    damaged = avm("index", "verify", cwd=folders, **env)
    assert damaged.returncode == 1
    assert "ChecksumMismatch" in damaged.stderr
    data[-1] ^= 1
    segment.write_bytes(data)


def test_fingerprint_writes_one_artefact_per_modality(folders: Path, tmp_path: Path) -> None:
    done = avm(
        "fingerprint", "ugc/clean.mp4", "ugc/notes.mp4", "nowhere.mp4", "--out", tmp_path, "--json",
        cwd=folders,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [Path(path).is_file() for path in result["artefacts"]["ugc/clean.mp4"]] == [True, True]
    assert result["unreadable"] == 2
    assert "nowhere.mp4" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("match", "--licensed", "missing", "--ugc", "ugc", "--out", "m.csv"),
        ("match", "--licensed", "licensed", "--ugc", "ugc", "--out", "m.xlsx"),
        ("match", "--licensed", "licensed"),
        ("sql",),
        ("score", "--truth", "m.csv", "--matches", "missing.csv"),
        ("unknown",),
    ],
    ids=str,
)
def test_wrong_arguments_exit_with_2_and_say_why(folders: Path, arguments: tuple[str, ...]) -> None:
    done = avm(*arguments, cwd=folders)
    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str, tmp_path: Path) -> None:
    done = avm(name, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert f"avm {name}" in done.stdout.split("example:")[1]
    assert "--json" in done.stdout


def test_help_does_not_load_heavy_libraries() -> None:
    script = (
        "import sys, avm_core.cli as c; c.build_parser(); "
        "heavy = {'torch', 'duckdb', 'av', 'boto3', 'usearch', 'numpy'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


def test_a_reader_that_has_seen_enough_is_no_failure(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)  # as `avm plan … | head -1` does, but sooner
    plan = ("plan", "--hours-per-day", "10", "--library-hours", "100", "--retention-days", "30")
    done = subprocess.run(
        [str(AVM), *plan], cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
