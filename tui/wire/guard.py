"""The last guard before the terminal: no text of a frame carries a code that a terminal might obey.

What is shown has gone through `workbench.visible` before, where symbols stand for such codes. Here, where a text's
place is settled already, a code that was overlooked is left out: it takes no cell.
"""

from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip

from ...workbench import visible


def without_codes(update: LayoutUpdate | ChopsUpdate) -> LayoutUpdate | ChopsUpdate:
    """An update that paints the same, less any code."""
    if isinstance(update, LayoutUpdate):
        return LayoutUpdate([[_clean(strip) for strip in row] for row in update.strips], update.region)
    chops = [{x: strip and _clean(strip) for x, strip in row.items()} for row in update.chops]
    return ChopsUpdate(chops, update.spans, update.chop_ends)


def _clean(strip: Strip) -> Strip:
    if not any(_has_codes(text, style) for text, style, _control in strip):
        return strip
    return Strip(
        [Segment(visible.without_codes(text), _clean_link(style)) for text, style, control in strip if not control]
    )


def _has_codes(text: str, style: Style | None) -> bool:
    return visible.has_codes(text) or (style is not None and style.link is not None and visible.has_codes(style.link))


def _clean_link(style: Style | None) -> Style | None:
    if style is None or style.link is None or not visible.has_codes(style.link):
        return style
    return style.update_link(visible.without_codes(style.link))
