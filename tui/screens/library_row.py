"""How a conversation looks in the library: its row, the line that was found in it, and what is said below the list."""

from ...workbench.library import Entry, Excerpt
from ...workbench.tags import tags_line
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..input.typed_path import shown_path
from ..panes.rows import Row
from ..text.bars import bytes_short
from ..text.glyphs import glyphs
from ..text.when import when
from ..text.wrap import Run, line_width, truncate
from ..transcript.blocks import short_model

MODEL_CELLS, FEW_MODEL_CELLS = 18, 11
"""For the name of a model, where there is room, and where there is little."""
BEFORE = 24
"""Cells of a found line before the match."""


def entry_row(entry: Entry, *, is_open: bool, wide: bool) -> Row:
    """Title, tags and path; then models, size and date. The right side stays whole: the path is cut first.

    Args:
        is_open: it is open here already.
        wide: there is room.
    """
    has_title = entry.name != entry.path.stem
    left = [Run(visible_line(entry.name if has_title else entry.path.name), "text")]
    if entry.glance.starred:
        left.append(Run(f" {glyphs.star}", "accent"))
    if tags := entry.glance.tags:
        left.append(Run(f"  {visible_line(tags_line(tags, '#'))}", "user"))
    if entry.kind == "file":
        # The end of a long path is cut off, so a file without a title has its name before its folder.
        where = shown_path(entry.path if has_title else entry.path.parent)
        left.append(Run(f"  {visible_line(where)}" if where != "." else "", "faint"))
    right: list[Run] = []
    if is_open:
        right.append(Run(f"{say('library.open')}  ", "muted"))
    elif entry.kind != "file":
        right.append(Run(f"{say(f'library.{entry.kind}')}  ", "accent" if entry.kind == "rescued" else "muted"))
    if models := latest_models(entry):
        name = truncate(short_model(visible_line(models[0])), MODEL_CELLS if wide else FEW_MODEL_CELLS)
        right.append(Run(f"{name}{f' +{len(models) - 1}' if models[1:] else '   '}", "muted"))
    right.append(Run(f"  {bytes_short(entry.size, least='K')} {when(entry.touched):>10}", "muted"))
    return Row(tuple(left), tuple(right), str(entry.path))


def latest_models(entry: Entry) -> tuple[str, ...]:
    """The latest to answer first."""
    return entry.glance.models[::-1]


def excerpt_row(excerpt: Excerpt) -> Row:
    """The line that holds what was looked for, which is marked, and in sight however wide its letters are."""
    line, start, end = excerpt
    before, match, after = (visible_line(part) for part in (line[:start], line[start:end], line[end:]))
    before = before.lstrip()
    if line_width((Run(before),)) > BEFORE:
        while line_width((Run(before),)) >= BEFORE:
            before = before[1:]
        before = f"…{before}"
    return Row((Run("   "), Run(before, "faint"), Run(match, "strong"), Run(after, "faint")))


def detail(entry: Entry) -> str:
    """Two lines about a conversation: where it lies, what is in it."""
    glance = entry.glance
    facts = [
        say("library.large") if entry.is_large else say("library.messages", n=glance.messages),
        f"{entry.size / 1000:,.1f} kB",
        *(short_model(each) for each in latest_models(entry)),
        *(f"#{tag}" for tag in glance.tags),
    ]
    if entry.kind == "template":
        facts.insert(0, say("library.copies"))
    return f"{visible_line(shown_path(entry.path))}\n{visible_line(' · '.join(facts))}"
