"""A text in the person's own editor ($VISUAL, else $EDITOR, else vi), the screen given up to it meanwhile."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from textual.app import App, SuspendNotSupported

from ..workbench.errors import QiaoError
from ..workbench.visible import visible_line
from . import terminal


def edit_text(app: App[object], text: str) -> str | None:
    """The text as the editor left it; None when nothing was changed.

    Raises:
        QiaoError: there is no such editor, it failed, or this terminal can't be given up to it.
    """
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    shown = visible_line(command)
    with tempfile.TemporaryDirectory(prefix="qiao-") as folder:
        path = Path(folder) / "message.md"
        path.write_text(text, encoding="utf-8", newline="")
        try:
            with app.suspend():
                screen = terminal.descriptor()
                arguments = [*shlex.split(command), str(path)]
                ended = subprocess.run(arguments, check=False, stdout=screen, stderr=screen)
        except SuspendNotSupported:
            raise QiaoError("screen.no_suspend") from None
        except (OSError, ValueError):
            raise QiaoError("screen.no_editor", command=shown) from None
        failed = QiaoError("screen.editor_failed", command=shown, code=ended.returncode)
        # Killed, by a dropped line say, it may have saved all the same; an editor that ends with a code was told to.
        if ended.returncode > 0:
            raise failed
        try:
            edited = path.read_bytes().decode("utf-8", "replace")
        except OSError:
            raise failed from None
    # Editors end a file with a line feed that nobody typed.
    if edited.endswith("\n") and not text.endswith("\n"):
        edited = edited[:-1]
    return None if edited == text else edited
