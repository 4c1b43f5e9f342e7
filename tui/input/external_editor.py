"""A text in the person's own editor ($VISUAL, else $EDITOR, else vi), the screen given up to it meanwhile."""

import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from textual.app import App, SuspendNotSupported

from ...workbench.errors import QiaoError
from ...workbench.visible import visible_line
from ..wire import terminal


def edit_file(app: App[object], path: Path) -> int:
    """Has the file edited; returns the code that the editor ended with, negative if it was killed.

    Raises:
        QiaoError: there is no such editor, or this terminal can't be given up to it.
    """
    code = None
    try:
        # Textual takes the screen back only if nothing is raised meanwhile.
        with app.suspend(), suppress(OSError, ValueError), _keys_are_the_editors():
            screen = terminal.descriptor()
            arguments = [*shlex.split(_command()), str(path)]
            code = subprocess.run(arguments, check=False, stdout=screen, stderr=screen).returncode
    except SuspendNotSupported:
        raise QiaoError("screen.no_suspend") from None
    if code is None:
        raise QiaoError("screen.no_editor", command=_shown_command())
    return code


@contextmanager
def _keys_are_the_editors() -> Iterator[None]:
    """ctrl+c and ctrl+\\ may come as signals to all programs at the terminal: they are meant for the editor alone.

    A handler rather than SIG_IGN, which the editor would inherit.
    """
    former = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _command() -> str:
    return os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"


def _shown_command() -> str:
    return visible_line(_command())


def edit_text(app: App[object], text: str) -> str | None:
    """The text as the editor left it; None when nothing was changed.

    Raises:
        QiaoError: there is no such editor, it failed, or this terminal can't be given up to it.
    """
    with tempfile.TemporaryDirectory(prefix="qiao-") as folder:
        path = Path(folder) / "message.md"
        path.write_text(text, encoding="utf-8", newline="")
        code = edit_file(app, path)
        failed = QiaoError("screen.editor_failed", command=_shown_command(), code=code)
        # Killed, by a dropped line say, it may have saved all the same; an editor that ends with a code was told to.
        if code > 0:
            raise failed
        try:
            edited = path.read_bytes().decode("utf-8", "replace")
        except OSError:
            raise failed from None
    # Editors end a file with a line feed that nobody typed.
    if edited.endswith("\n") and not text.endswith("\n"):
        edited = edited[:-1]
    return None if edited == text else edited
