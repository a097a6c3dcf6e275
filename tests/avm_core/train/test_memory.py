"""The ring of earlier descriptors: full before it is used, oldest overwritten, overlap known."""

import torch

from avm_core.train.memory import Memory


def vectors(*firsts):
    return torch.tensor([[float(first), 0.0] for first in firsts])


def add(memory, firsts, owner=1, second=0.0):
    count = len(firsts)
    memory.add(vectors(*firsts), torch.full((count,), owner), torch.full((count,), second))


def test_nothing_is_given_until_the_ring_is_full():
    memory = Memory(4, 2)
    add(memory, [1, 2])
    one = (torch.tensor([1]), torch.tensor([0.0]), 1.0)
    assert len(memory.negatives(*one)[0]) == 0
    add(memory, [3, 4])
    assert memory.negatives(*one)[0][:, 0].tolist() == [1, 2, 3, 4]
    add(memory, [5, 6, 7])
    assert sorted(memory.negatives(*one)[0][:, 0].tolist()) == [4, 5, 6, 7]


def test_moments_of_the_same_piece_nearby_are_no_negatives():
    memory = Memory(3, 2)
    add(memory, [1], owner=1, second=10.0)
    add(memory, [2], owner=1, second=20.0)
    add(memory, [3], owner=2, second=10.0)
    _, known = memory.negatives(torch.tensor([1, 2, 3]), torch.tensor([11.0, 10.4, 10.0]), 1.5)
    assert known.tolist() == [[True, False, False], [False, False, True], [False, False, False]]


def test_a_memory_of_nothing_and_a_batch_larger_than_the_memory():
    for size in (0, 2):
        memory = Memory(size, 2)
        add(memory, [1, 2, 3])
        assert len(memory.negatives(torch.tensor([1]), torch.tensor([0.0]), 1.0)[0]) == 0


def test_restored_memory_goes_on_where_it_stopped():
    memory, other = Memory(3, 2), Memory(3, 2)
    add(memory, [1, 2, 3, 4])
    other.restore(memory.state())
    for each in (memory, other):
        add(each, [5])
    one = (torch.tensor([1]), torch.tensor([0.0]), 1.0)
    assert torch.equal(memory.negatives(*one)[0], other.negatives(*one)[0])
