"""Three panes with a few lines each and a footer line, and nothing behind them."""

from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static


class Panes(App[None]):
    """As many parts as a workbench has."""

    CSS = "#left { width: 26; } #middle { width: 1fr; } #right { width: 34; } #panes { height: 1fr; }"

    def compose(self) -> ComposeResult:
        with Horizontal(id="panes"):
            yield Static("\n".join(f"model {number}" for number in range(10)), id="left")
            yield Static("What is a good prompt?", id="middle")
            yield Static("\n".join(f"parameter {number}" for number in range(12)), id="right")
        yield Static("enter edit   r run   q quit")


if __name__ == "__main__":
    Panes().run()
