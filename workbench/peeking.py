"""The beginnings of files that nobody has asked to open: whatever lies there, a look at it ends soon."""

import os
import stat

SEARCHED = 50_000_000
"""Bytes. Looking a word up in so many takes 0.1 s and three times their memory; of a larger file only the beginning is
looked at. Ten thousand messages take some 10 MB."""
BEGINNING = 1_000_000
"""Bytes; enough for the title and what is said first."""


def peek(path: str, most: int) -> bytes:
    """What the file begins with, at most so many bytes; nothing, if it can't be read: opening it will say why.

    A pipe or a device counts as empty and isn't opened, which could block, or take from it what is another's.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return b""
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            return file.read(min(most, status.st_size)) if stat.S_ISREG(status.st_mode) else b""
    except (OSError, ValueError):
        return b""


def _without_waiting(path: str, flags: int) -> int:
    # It may have become a pipe since it was asked.
    return os.open(path, flags | os.O_NONBLOCK)
