"""A part of the workbench screen: an object of its own that knows the screen, and through it the other parts."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App

    from ..host import Host
    from ..look.inks import Inks
    from ..sessions.session import Session
    from ..transcript.view import Transcript
    from .screen import WorkbenchScreen


class BenchPart:
    """What is at hand in every part."""

    def __init__(self, bench: "WorkbenchScreen") -> None:
        self.bench = bench

    @property
    def session(self) -> "Session":
        """The conversation that is shown."""
        return self.bench.session

    @property
    def transcript(self) -> "Transcript":
        return self.bench.transcript

    @property
    def qiao(self) -> "Host":
        """What lives as long as the program does."""
        return self.bench.qiao

    @property
    def app(self) -> "App[object]":
        """The same, as Textual knows it."""
        return self.bench.app

    @property
    def inks(self) -> "Inks":
        return self.bench.inks
