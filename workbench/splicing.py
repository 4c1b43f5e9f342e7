"""Where two versions of a text differ."""

from collections.abc import Callable


def splice(before: str, now: str) -> tuple[int, int, str]:
    """How the text changed: so many characters at the start and at the end stayed, and what stands between them."""
    room = min(len(before), len(now))
    keep = most(room, lambda n: before[:n] == now[:n])
    end = most(room - keep, lambda n: before[len(before) - n :] == now[len(now) - n :])
    return keep, end, now[keep : len(now) - end]


def most(limit: int, holds: Callable[[int], bool]) -> int:
    """The largest number up to `limit` for which it holds, where it holds for all smaller ones too."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low
