"""Work on several files at once: in order, overlapping, and ended by its first error."""

import threading
import time

import pytest
import torch

from avm_core.fingerprint.parallel import for_each, in_turn


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


def test_parts_in_turn_are_made_by_one_thread_at_a_time_and_used_by_all():
    making, using = threading.Semaphore(1), threading.Barrier(2)

    def made(first):
        for number in range(first, first + 3):
            assert making.acquire(blocking=False), "another thread is making a part"
            time.sleep(0.01)
            making.release()
            yield number

    def work(first):
        found = []
        for part in in_turn(made(first)):
            using.wait(20)  # both hold a part: using one does not keep the other from making
            found.append(part)
        return found

    assert for_each(work, [0, 10], workers=2) == [[0, 1, 2], [10, 11, 12]]
    assert list(in_turn(iter(()))) == []
