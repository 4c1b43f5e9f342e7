"""What stands behind a dialog, dimmed: each style is once, not once for every piece of the screen that has it."""

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeVar

from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen

T = TypeVar("T")
_PLAIN = Style.null()


class Dimmed(BackgroundScreen):
    """As its parent."""

    @classmethod
    def process_segments(cls, segments: Iterable[Segment], color: Color) -> Iterable[Segment]:
        return [each if each.control else Segment(each.text, _dimmed(each.style or _PLAIN, color)) for each in segments]


@lru_cache(maxsize=1024)
def _dimmed(style: Style, color: Color) -> Style:
    (segment,) = BackgroundScreen.process_segments([Segment("", style)], color)
    return segment.style or style


class OverDimmed(ModalScreen[T]):
    """A dialog; the screen that it stands over can be seen through its ground."""

    def render(self) -> RenderableType:
        ground = super().render()
        return Dimmed(ground.screen, ground.color) if isinstance(ground, BackgroundScreen) else ground
