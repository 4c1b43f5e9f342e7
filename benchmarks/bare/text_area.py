"""Textual's own TextArea that fills the screen, with the first message of a TOML file in it; the caret at its end."""

import sys
import tomllib
from pathlib import Path

from textual.app import App, ComposeResult
from textual.widgets import TextArea


class Writing(App[None]):
    """A text area and nothing else. Without an argument it is empty."""

    def compose(self) -> ComposeResult:
        text = ""
        if len(sys.argv) > 1:
            text = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["message"][0]["text"]
        area = TextArea(text, soft_wrap=True)
        area.move_cursor(area.document.end)
        yield area


if __name__ == "__main__":
    Writing().run()
