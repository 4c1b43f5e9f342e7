"""A Textual app that reads a TOML file, and says so; then it says which key was pressed last."""

import sys
import tomllib
from pathlib import Path

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Static


class Read(App[None]):
    """Shows that it is done."""

    def compose(self) -> ComposeResult:
        tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
        yield Static("read")

    def on_key(self, event: events.Key) -> None:
        self.query_one(Static).update(f"read, then {event.key}")


if __name__ == "__main__":
    Read().run()
