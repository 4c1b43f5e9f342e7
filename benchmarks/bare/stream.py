"""Textual's own parts for what the workbench does: a Markdown stream, and a text area under it.

    python benchmarks/bare/stream.py TEXT-FILE --tokens-per-second 60 [--log FILE]

F5 begins to stream. The moment in which the last token was given is logged.
"""

import argparse
import asyncio
import time
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Markdown, Static, TextArea

from qiao.backends.scripted import tokens


class Stream(App[None]):
    """The panes of a workbench, with Textual's own widgets in the middle."""

    CSS = """
    #left { width: 26; } #right { width: 34; } #middle { width: 1fr; } TextArea { height: 12; }
    """
    BINDINGS: ClassVar = [("f5", "stream", "stream")]

    def __init__(self, answer: str, pace: float, log: Path | None) -> None:
        super().__init__()
        self._pieces, self._pace, self._last_given = tokens(answer), pace, log

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static("models", id="left")
            with Vertical(id="middle"):
                with VerticalScroll(id="page"):
                    yield Markdown()
                yield TextArea(soft_wrap=True)
            yield Static("sampling", id="right")

    def on_mount(self) -> None:
        self.query_one("#page", VerticalScroll).anchor()
        self.query_one(TextArea).focus()

    def action_stream(self) -> None:
        self.run_worker(self._stream())

    async def _stream(self) -> None:
        stream = Markdown.get_stream(self.query_one(Markdown))
        begun = time.monotonic()
        for number, piece in enumerate(self._pieces, start=1):
            await asyncio.sleep(max(0.0, begun + number / self._pace - time.monotonic()))
            await stream.write(piece)
        if self._last_given:
            self._last_given.write_text(str(time.monotonic()), encoding="utf-8")
        await stream.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("answer", type=Path)
    parser.add_argument("--tokens-per-second", type=float, default=60.0)
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    Stream(options.answer.read_text(encoding="utf-8"), options.tokens_per_second, options.log).run()


if __name__ == "__main__":
    main()
