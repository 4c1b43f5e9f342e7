"""A line that a person types without it being shown: a key, a passphrase."""

import os
import sys
from contextlib import suppress

from ..workbench.errors import Unreadable
from .streams import is_terminal

LONGEST = 65_536
"""Bytes of a line from a pipe; no key is that long."""


def typed(prompt: str) -> str | None:
    """Asks at the terminal, whatever stdin and stdout are.

    Returns:
        What was typed, or None if nobody can be asked, or they end the line with ctrl+d.
    """
    if not _is_ours():
        return None
    import getpass

    with suppress(EOFError):
        return getpass.getpass(prompt)
    return None


def first_line(prompt: str) -> str | None:
    """The first line of stdin, asked for if stdin is a terminal.

    Raises:
        Unreadable: stdin can't be read, or isn't text.
    """
    if is_terminal(sys.stdin):
        return typed(prompt)
    try:
        data = sys.stdin.buffer.readline(LONGEST)
    except OSError as error:
        raise Unreadable("cli.keys_no_stdin", detail=error.strerror or str(error)) from None
    return data.decode("utf-8", "replace")


def _is_ours() -> bool:
    """Whether there is a terminal, and this process in its foreground: in the background, asking would stop it."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
