"""A program for tests: the workbench with a model that says a given text at a given pace.

python -m tests.tui.wire.talker FILE TEXT-FILE TOKENS-A-SECOND
"""

import sys
from pathlib import Path

from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend
from qiao.tui.app import QiaoApp
from qiao.tui.sessions.session import Session
from qiao.tui.wire import escape, terminal
from qiao.workbench.config import Config
from qiao.workbench.document import Document


def main(file: str, text: str, pace: str) -> None:
    backend = ScriptedBackend()
    backend.enqueue(Path(text).read_text(encoding="utf-8"), delay_ms=1000 / float(pace))
    config = Config(model="scripted:echo")
    escape.install()
    app = QiaoApp([Session(Document.open(Path(file)))], Backends(config, extra={"scripted": backend}), config)
    with terminal.guarded():
        app.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
