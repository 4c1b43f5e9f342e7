"""The real workbench with a backend that says a given text at a given pace: what the benchmarks run in a terminal.

python benchmarks/scripted_workbench.py FILE [--answer TEXT-FILE] [--thinking TOKENS] [--tokens-per-second 60]
                                             [--base] [--log FILE]
"""

import argparse
import gc
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend, tokens
from qiao.tui.app import QiaoApp
from qiao.tui.sessions.session import Session
from qiao.tui.wire import escape, terminal
from qiao.workbench.config import Config
from qiao.workbench.document import Document
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Event, Finished, Request, Started, Text, Thinking


class Paced(ScriptedBackend):
    """Keeps its pace whatever else takes time, and writes down when it gave the last token of its last answer."""

    def __init__(
        self, answer: str, thinking: int, tokens_per_second: float, log: Path | None, *, base: bool = False
    ) -> None:
        super().__init__(kind="base" if base else "instruct")
        self._pieces, self._thinking, self._pace, self._log = tokens(answer), thinking, tokens_per_second, log

    def generate(self, request: Request, stop: threading.Event) -> Iterator[Event]:
        yield Started("completion" if self._kind == "base" else "chat", Sampling())
        begun = time.monotonic()
        for number, piece in enumerate(self._pieces, start=1):
            if stop.wait(max(0.0, begun + number / self._pace - time.monotonic())):
                yield Finished("cancelled")
                return
            yield Thinking(piece) if number <= self._thinking else Text(piece)
        if self._log:
            self._log.write_text(str(time.monotonic()), encoding="utf-8")
        yield Finished("stop")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the conversation; made when it isn't there")
    parser.add_argument("--answer", type=Path, help="the text of every answer")
    parser.add_argument("--thinking", type=int, default=0, help="so many tokens of it are thinking")
    parser.add_argument("--tokens-per-second", type=float, default=60.0)
    parser.add_argument("--base", action="store_true", help="it is a base model")
    parser.add_argument("--log", type=Path, help="where to write when the last token was given, in monotonic seconds")
    options = parser.parse_args()
    text = options.answer.read_text(encoding="utf-8") if options.answer else "Yes."
    backend = Paced(text, options.thinking, options.tokens_per_second, options.log, base=options.base)
    config = Config(model="scripted:echo")
    gc.disable()  # as the command does; the app takes it up again
    escape.install()
    app = QiaoApp([Session(Document.open(options.file))], Backends(config, extra={"scripted": backend}), config)
    with terminal.guarded():
        app.run()


if __name__ == "__main__":
    main()
