"""Where two versions of a text, or of a row of things that don't change, differ."""

from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from operator import is_not

PIECE = 1 << 16
"""Characters that are compared at a time."""


def splice(before: str, now: str) -> tuple[int, int, str]:
    """How the text changed: so many characters at the start and at the end stayed, and what stands between them."""
    room = min(len(before), len(now))
    keep = _same(room, lambda a, b: before[a:b] == now[a:b])
    old, new = len(before), len(now)
    end = _same(room - keep, lambda a, b: before[old - b : old - a] == now[new - b : new - a])
    return keep, end, now[keep : len(now) - end]


def same_start(before: Sequence[object], now: Sequence[object]) -> int:
    """So many at the start are the very same objects in both. Quick, as there may be thousands."""
    return _same_objects(before, now, min(len(before), len(now)))


def same_ends(before: Sequence[object], now: Sequence[object]) -> tuple[int, int]:
    """So many at the start, and so many at the end, are the very same objects in both."""
    start = same_start(before, now)
    return start, _same_objects(reversed(before), reversed(now), min(len(before), len(now)) - start)


def _same(limit: int, same: Callable[[int, int], bool]) -> int:
    """The largest number up to `limit` so that all from 0 to it is the same."""
    low = 0
    while low < limit and same(low, min(low + PIECE, limit)):
        low = min(low + PIECE, limit)
    return low + most(min(PIECE, limit - low), lambda n: same(low, low + n))


def most(limit: int, holds: Callable[[int], bool]) -> int:
    """The largest number up to `limit` for which it holds, where it holds for all smaller ones too."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _same_objects(one: Iterable[object], other: Iterable[object], room: int) -> int:
    return next(compress(range(room), map(is_not, one, other)), room)
