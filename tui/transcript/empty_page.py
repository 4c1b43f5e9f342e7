"""What a page without messages says."""

from collections.abc import Sequence

from rich.cells import cell_len

from ..text.wrap import Line, Run, truncate, wrap_text

KEY_COLUMN = 12
"""Cells that keys stand in, beside what they do."""


def told_lines(paragraphs: Sequence[str], width: int) -> list[Line]:
    """Paragraphs as lines of `width` cells, a blank one before each; all but the first muted."""
    lines: list[Line] = []
    for number, paragraph in enumerate(paragraphs):
        lines += [(), *_paragraph(paragraph, width, "muted" if number else "text")]
    return lines


def _paragraph(paragraph: str, width: int, ink: str) -> list[Line]:
    """Where it has a tab, a key and what it does stand side by side."""
    lines: list[Line] = []
    for line in paragraph.split("\n"):
        key, tab, words = line.partition("\t")
        if not tab:
            lines += wrap_text(line, width, ink)
            continue
        indent = min(KEY_COLUMN, width // 2)
        label = truncate(key, indent - 1)
        beginning = (Run(label), Run(" " * (indent - cell_len(label))))
        for wrapped in wrap_text(words, width - indent, ink):
            lines.append((*beginning, *wrapped))
            beginning = (Run(" " * indent),)
    return lines
