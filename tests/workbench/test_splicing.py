"""What two versions have in common."""

from hypothesis import given
from hypothesis import strategies as st

from qiao.workbench.splicing import same_ends, same_start

THINGS = [object() for _ in range(3)]
rows = st.lists(st.sampled_from(THINGS), max_size=6)


@given(rows, rows)
def test_all_that_is_the_same_at_both_ends_is_found(before: list[object], now: list[object]) -> None:
    start, end = same_ends(before, now)
    assert start == same_start(before, now)
    assert before[:start] == now[:start]
    assert before[len(before) - end :] == now[len(now) - end :]
    gone, came = before[start : len(before) - end], now[start : len(now) - end]
    if gone and came:
        assert gone[0] is not came[0]
        assert gone[-1] is not came[-1]


def test_what_is_merely_equal_is_another() -> None:
    one, other = [1], [1]
    assert same_ends((one, THINGS), (other, THINGS)) == (0, 1)
