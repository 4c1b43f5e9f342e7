"""The command's two streams: data on stdout, narration on stderr.

This is where outside text is made safe for the terminal. Into a pipe or a file, data goes as it is, in UTF-8.
"""

import os
import shutil
import sys
import time
from typing import TextIO

from ..workbench.visible import visible, visible_line
from .cells import width

DIM, ACCENT, PLAIN = "\x1b[2m", "\x1b[36m", "\x1b[0m"
REWRITES_A_SECOND = 10


def is_terminal(stream: TextIO) -> bool:
    """Whether a person looks at it; a closed stream is none."""
    try:
        return stream.isatty()
    except ValueError:
        return False


def _is_coloured(stream: TextIO) -> bool:
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Unwritable(Exception):
    """Stdout can't be written, or nobody reads it any more; `reason` is what the system said."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(reason)
        self.reason = reason


class Data:
    """What the command is asked for, on stdout."""

    def __init__(self) -> None:
        self.is_terminal = is_terminal(sys.stdout)
        self._is_coloured = _is_coloured(sys.stdout)
        self._at_line_start = True

    def write(self, text: str, *, special: bool = False) -> None:
        """Writes and flushes: exact, or, on a terminal, with every control made visible.

        Args:
            special: not anyone's text but a special token: coloured on a terminal.

        Raises:
            Unwritable: the disk is full, or nobody reads.
        """
        if not text:
            return
        self._at_line_start = text.endswith("\n")
        try:
            if self.is_terminal:
                shown = visible(text)
                if special and self._is_coloured:
                    shown = f"{ACCENT}{shown}{PLAIN}"
                encoding = sys.stdout.encoding or "utf-8"
                sys.stdout.write(shown.encode(encoding, "replace").decode(encoding))
                sys.stdout.flush()
            else:
                sys.stdout.flush()
                sys.stdout.buffer.write(text.encode("utf-8"))
                sys.stdout.buffer.flush()
        except OSError as error:
            raise Unwritable(error) from error

    def end_line(self) -> None:
        """A line feed, unless what was written last ends with one."""
        if not self._at_line_start:
            self.write("\n")


class Narration:
    """What the person is told meanwhile, on stderr."""

    def __init__(self) -> None:
        self.is_terminal = is_terminal(sys.stderr)
        self._rewrites = self.is_terminal and os.environ.get("TERM") != "dumb"
        self._is_coloured = _is_coloured(sys.stderr)
        self._shown = ""
        self._next_rewrite = 0.0

    def status(self, line: str) -> None:
        """Rewrites the one line that tells what is going on; does nothing where no line can be rewritten."""
        now = time.monotonic()
        if not self._rewrites or line == self._shown or now < self._next_rewrite:
            return
        self._next_rewrite = now + 1 / REWRITES_A_SECOND
        self._shown = line
        columns = shutil.get_terminal_size().columns
        shown = visible_line(line)[:columns]
        while width(shown) >= columns:
            shown = shown[:-1]
        self._write(f"\r{shown}\x1b[K")

    def clear(self) -> None:
        """Takes the status line away."""
        if self._shown:
            self._write("\r\x1b[K")
        self._shown = ""
        self._next_rewrite = 0.0

    def note(self, line: str) -> None:
        """One line that stays."""
        self.clear()
        self._write(f"{visible_line(line)}\n")

    def aside(self, text: str) -> None:
        """A piece of a longer text that isn't the answer, dim; only a terminal gets it."""
        if not self.is_terminal:
            return
        self.clear()
        shown = visible(text)
        self._write(f"{DIM}{shown}{PLAIN}" if self._is_coloured else shown)

    @property
    def can_rewrite(self) -> bool:
        """Whether `status` shows anything."""
        return self._rewrites

    def _write(self, text: str) -> None:
        encoding = sys.stderr.encoding or "utf-8"
        try:
            sys.stderr.write(text.encode(encoding, "replace").decode(encoding))
            sys.stderr.flush()
        except (OSError, ValueError):
            # Nobody reads the narration: that must not cost the answer.
            return
