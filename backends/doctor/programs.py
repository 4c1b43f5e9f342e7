"""Programs that are asked one thing and have to answer within a time."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec


class Answer(NamedTuple):
    """What a program said."""

    code: int
    """Its exit code; the negative number of the signal that ended it."""
    out: str
    err: str


class Silent(Exception):
    """It can't be started, or said nothing within its time; `late` tells which."""

    def __init__(self, *, late: bool) -> None:
        super().__init__()
        self.late = late


def ask(argv: Sequence[str], limit_s: float, more: Mapping[str, str] | None = None) -> Answer:
    """Runs a program without a terminal.

    Args:
        argv: the program and its arguments.
        limit_s: seconds after which it is killed.
        more: environment variables beside our own.

    Raises:
        Silent: it can't be started, or took too long.
    """
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit_s,
            env={**os.environ, **(more or {})},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Silent(late=True) from None
    except (OSError, ValueError):
        raise Silent(late=False) from None
    return Answer(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def ask_python(program: str, limit_s: float, python: str = sys.executable) -> tuple[dict[str, object] | None, Answer]:
    """Runs a piece of Python that prints one JSON object as its last line.

    Args:
        program: its source.
        limit_s: seconds after which it is killed.
        python: the interpreter, which may be another environment's.

    Returns:
        The object, None if it printed none; and all that was said.

    Raises:
        Silent: it can't be started, or took too long.
    """
    # -P would keep the working directory off the path, but an older Python doesn't know it.
    answer = ask([python, "-c", _AWAY + program], limit_s, {"PYTHONWARNINGS": "ignore"})
    lines = answer.out.strip().splitlines()
    try:
        return msgspec.json.decode(lines[-1], type=dict[str, object]) if lines else None, answer
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return None, answer


_AWAY = "import sys; sys.path[:] = [p for p in sys.path if p]\n"
"""A file torch.py in the working directory isn't taken for the library."""


def interpreter_of(script: Path) -> str | None:
    """The Python that a script installed by pip runs with, from its first line; None if that names none."""
    try:
        with script.open("rb") as file:
            first = file.read(1024).decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    # A path with a blank, or too long for a first line: pip then writes `#!/bin/sh`, and the call below it.
    for line in first[:2]:
        try:
            words = shlex.split(line.removeprefix("#!"))
        except ValueError:
            continue
        named = next((word for word in words if "python" in Path(word).name and "/" in word), None)
        if named is not None:
            return named
    return None
