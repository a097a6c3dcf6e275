"""Groups hold everything once, in order, within their bounds."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avm_core.groups import in_groups


def same(size):
    return size


@given(
    st.lists(st.integers(0, 9)),
    st.integers(1, 20),
    st.one_of(st.none(), st.integers(1, 4)),
)
def test_everything_is_in_one_group_and_none_is_too_large(sizes, limit, count):
    groups = in_groups(sizes, size=same, limit=limit, count=count)
    assert [size for group in groups for size in group] == sizes
    assert all(groups)
    for group in groups:
        assert count is None or len(group) <= count
        assert sum(group) <= limit or sum(size > 0 for size in group) == 1


@given(st.lists(st.integers(1, 9)), st.integers(1, 20))
def test_a_group_ends_only_where_the_next_item_has_no_room(sizes, limit):
    groups = in_groups(sizes, size=same, limit=limit)
    for group, after in itertools.pairwise(groups):
        assert sum(group) + after[0] > limit


@pytest.mark.parametrize("count", [None, 1])
def test_no_items_make_no_groups(count):
    assert in_groups([], size=same, limit=1, count=count) == []
