"""The terminal belongs to the screen alone: what anything else prints goes to a log while the workbench runs."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ...workbench import paths

_terminal: int | None = None


def descriptor() -> int | None:
    """The file descriptor of the terminal while it is guarded: what a program that takes over the screen prints to."""
    return _terminal


def log_file() -> Path:
    """What is printed while the workbench runs."""
    return paths.log_dir() / "workbench.log"


def _open_log() -> int:
    """The log's descriptor; where there can be none, that of nothing at all."""
    try:
        log_file().parent.mkdir(parents=True, exist_ok=True)
        return os.open(log_file(), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Points file descriptors 1 and 2 at the log, and Textual's driver at the terminal.

    A library, its C code and its children inherit the log; nothing they print can spoil the screen.
    """
    global _terminal
    log = _open_log()
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(fd, os.dup(fd)) for fd in (1, 2)]
    _terminal = os.dup(1)
    before = sys.__stdout__, sys.__stderr__
    try:
        with open(_terminal, "w", encoding="utf-8", errors="replace", closefd=False) as screen:
            # Textual's driver writes to sys.__stderr__, and asks sys.__stdout__ how large the terminal is.
            sys.__stdout__ = sys.__stderr__ = screen  # pyright: ignore[reportAttributeAccessIssue]
            for fd, _copy in kept:
                os.dup2(log, fd)
            yield
            screen.flush()
    finally:
        sys.__stdout__, sys.__stderr__ = before  # pyright: ignore[reportAttributeAccessIssue]
        sys.stdout.flush()
        sys.stderr.flush()
        for fd, copy in kept:
            os.dup2(copy, fd)
            os.close(copy)
        os.close(log)
        os.close(_terminal)
        _terminal = None
