"""Work on several files at once: in order, overlapping, and ended by its first error."""

import threading

import pytest
import torch

from avm_core.fingerprint.parallel import for_each


def test_results_come_in_the_order_of_the_items():
    held = threading.Event()

    def work(item):
        if item == 0:
            assert held.wait(20)  # until a later one is done: they do run side by side
        else:
            held.set()
        return item * 10

    assert for_each(work, range(5), workers=2) == [0, 10, 20, 30, 40]
    assert for_each(work, []) == []


def test_the_first_error_is_raised_and_nothing_more_begins():
    begun = []

    def work(item):
        begun.append(item)
        raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 0"):
        for_each(work, list(range(1_000)), workers=1)
    assert len(begun) < 1_000


def test_each_worker_keeps_to_its_own_core(monkeypatch):
    monkeypatch.setattr("avm_core.fingerprint.parallel.os.cpu_count", lambda: 4)
    both = threading.Barrier(2)

    def threads(_):
        both.wait(20)
        return torch.get_num_threads()

    assert for_each(threads, [1, 2], workers=2) == [2, 2]
