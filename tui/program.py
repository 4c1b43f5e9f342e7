"""The workbench from its start to its end.

What answers is closed when the screen is gone already: a server takes seconds to end, and nobody is to wait before a
screen that stands still.
"""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..backends.registry import Backends
from ..workbench.config import Config
from ..workbench.document import Document
from ..workbench.errors import QiaoError
from ..workbench.visible import visible_line
from ..workbench.words import say
from .app import ENDING, QiaoApp
from .beginning import load_conversation, opened
from .look.color_depth import depth_here
from .sessions.session import Session
from .tour import is_first_start
from .wire import escape, terminal

SOON = 0.4
"""Seconds; what takes longer is told."""


def run_workbench(
    files: list[Path], *, pattern: Path | None = None, run_at_once: bool, config: Config, warnings: Sequence[str] = ()
) -> int:
    """Opens the workbench on these files, or on an untitled conversation.

    Args:
        files: each is opened, or made; one of another format is imported.
        pattern: an untitled conversation begins as a copy of this file, and is shown first.
        run_at_once: the first conversation is run as soon as it is shown.
        config: the person's settings.
        warnings: what they should know of them, a line each.

    Returns:
        The exit code.

    Raises:
        QiaoError: a file can't be read; nothing has been shown yet.
    """
    documents, imported = opened(files)
    if pattern is not None or not documents:
        documents.insert(0, Document.untitled(None if pattern is None else load_conversation(pattern)))
    escape.install()
    backends = Backends(config)
    app = QiaoApp(
        [Session(document) for document in documents],
        backends,
        config,
        run_at_once=run_at_once,
        touring=not files and pattern is None and is_first_start(),
        warnings=warnings,
        imported=imported,
        depth=depth_here(),
    )
    try:
        with terminal.guarded(), _signals_heeded(app):
            code = app.run()
    finally:
        close(backends)
    if app.failure is not None:
        what = visible_line(app.failure).removesuffix(".")
        raise QiaoError("screen.failed", what=what, log=visible_line(str(terminal.log_file())))
    return code or 0


@contextlib.contextmanager
def _signals_heeded(app: QiaoApp) -> Iterator[None]:
    """Those that end the program, until the app itself heeds them."""
    former = {number: signal.signal(number, lambda *_: app.end_early()) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def close(backends: Backends) -> None:
    """Ends all that they started: models in memory, servers that weren't left. Says on stderr what is waited for."""
    told = threading.Timer(SOON, _tell)
    told.daemon = True
    told.start()
    try:
        backends.close()
    finally:
        told.cancel()


def _tell() -> None:
    # The terminal may be gone.
    with contextlib.suppress(OSError, ValueError):
        print(say("program.waiting"), file=sys.stderr, flush=True)
