"""The real workbench with a backend that says a given text at a given pace: what the benchmarks run in a terminal.

python benchmarks/scripted_workbench.py FILE [--answer TEXT-FILE] [--tokens-per-second 60]
"""

import argparse
from pathlib import Path

from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend, tokens
from qiao.tui import escape, terminal
from qiao.tui.app import QiaoApp
from qiao.tui.session import Session
from qiao.workbench.config import Config
from qiao.workbench.document import Document
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Finished, Started, Text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="the conversation; made when it isn't there")
    parser.add_argument("--answer", type=Path, help="the text of every answer")
    parser.add_argument("--tokens-per-second", type=float, default=60.0)
    options = parser.parse_args()
    backend = ScriptedBackend()
    text = options.answer.read_text(encoding="utf-8") if options.answer else "Yes."
    events = (Started("chat", Sampling()), *map(Text, tokens(text)), Finished("stop"))
    for _ in range(20):
        backend.enqueue(events, delay_ms=1000 / options.tokens_per_second)
    config = Config(model="scripted:echo")
    escape.install()
    app = QiaoApp([Session(Document.open(options.file))], Backends(config, extra={"scripted": backend}), config)
    with terminal.guarded():
        app.run()


if __name__ == "__main__":
    main()
