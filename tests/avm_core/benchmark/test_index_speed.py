"""The measurement of an index keeps its contract, and recall counts what was missed."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from avm_core.benchmark import index_speed
from avm_core.benchmark.index_speed import measure_index, recall
from avm_core.benchmark.reverse_speed import measure_reverse
from avm_core.cli import main
from avm_core.config import IndexConfig
from avm_core.index.variants import VARIANTS
from avm_core.types import Hits
from tests.builders import make_fingerprint


def hits(scores):
    """One row per query of its scores."""
    query = np.repeat(np.arange(len(scores)), [len(row) for row in scores])
    score = np.concatenate([np.asarray(row, np.float32) for row in scores])
    none = np.zeros(len(query))
    return Hits(("a",), query, none.astype(np.int64), none, score)


def test_recall_counts_equals_as_found_and_misses_as_missed():
    exact = hits([[0.9, 0.8, 0.7], [0.6, 0.5, 0.5]])
    assert recall(exact, exact, 3) == 1.0
    assert recall(hits([[0.9, 0.7, 0.65], [0.5, 0.5, 0.5]]), exact, 3) == pytest.approx(5 / 6)
    assert recall(hits([[0.9], [0.4]]), exact, 3) == pytest.approx(1 / 6)


@pytest.fixture
def prints():
    return [
        make_fingerprint(n // 2, seconds=30.0, noise=0.1 * (n % 2), content_id=f"c{n}")
        for n in range(21)
    ]


def test_an_index_is_measured_beside_the_exact_scan(prints, monkeypatch):
    monkeypatch.setattr(index_speed, "QUERIES", 60)
    monkeypatch.setattr(index_speed, "_SIZES", (500, 1_500, 9_000))
    found = measure_index(prints, 3_000, table=True, config=IndexConfig(segment_windows=2_000))
    assert found["windows"] == 3_000
    assert found["segments"] == 2
    assert found["real_windows"] == sum(len(p.starts) for n, p in enumerate(prints) if n % 10)
    assert 0.95 <= found["recall_at_10"] <= 1.0
    for name in ("queries_per_s", "exact_queries_per_s", "adds_per_s", "build_peak_mb"):
        assert found[name] > 0, name
    # 128 of the vector and 12 beside it, the graph and the entries.
    assert 140 < found["exact_bytes_per_window"] < 150
    assert found["bytes_per_window"] > found["exact_bytes_per_window"] + 128
    depths = found["by_expansion_search"]
    assert [row["expansion_search"] for row in depths] == [64, 128, 256, 512]
    assert depths[-1]["recall_at_10"] >= depths[0]["recall_at_10"]
    table = found["table"]
    assert set(table) == set(VARIANTS)
    assert table["cos f32"]["recall_at_10"] > 0.95
    assert table["cos i8"]["recall_at_10"] > table["hamming b1"]["recall_at_10"]
    assert table["cos i8"]["bytes_per_window"] < table["cos bf16"]["bytes_per_window"]
    assert table["cos bf16"]["bytes_per_window"] < table["cos f32"]["bytes_per_window"]
    assert [row["windows"] for row in found["crossover"]["sizes"]] == [500, 1_500]


def test_without_a_benchmark_set_made_up_prints_are_measured_and_called_so(tmp_path, capsys):
    command = ["bench", "index", "--windows", "9000", "--json", "--prints", str(tmp_path)]
    assert main(command) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["windows"], found["real_windows"]) == (9_000, 0)
    assert {"recall_at_10", "queries_per_s", "adds_per_s", "bytes_per_window"} <= set(found)
    assert found["recall_at_10"] > 0.9
    assert "made-up" in said.err


def test_a_search_backwards_is_measured_by_scan_and_by_graph(prints):
    renamed = [
        replace(p, fingerprinter=replace(p.fingerprinter, name="audio_conv.v2")) for p in prints
    ]
    found = measure_reverse(renamed, 6_000)
    assert found["floor_and_k"]["k"] == 50
    rows = found["rows"]
    assert {row["by"] for row in rows} == {"scan", "graph"}
    assert {row["upload_windows"] for row in rows} == {600, 2_000, 6_000}
    for row in rows:
        assert row["pairs_per_cpu_s"] > 0
    largest = [row for row in rows if row["upload_windows"] == 6_000]
    assert {row["candidates"] for row in largest} != {0}
