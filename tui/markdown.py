"""Markdown as lines of runs: an answer laid out for reading in a terminal, quiet, with Chinese line breaks.

Parsed by markdown-it (CommonMark with tables and strikethrough). Line breaks of the source are kept, since models write
verse, addresses and lists without a second thought for two trailing blanks. HTML is text.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from rich.cells import cell_len

from .glyphs import glyphs
from .wrap import Line, Run, line_width, wrap

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


@cache
def _parser() -> "MarkdownIt":
    # Imported when the first answer is shown: the first paint doesn't need it.
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def render(text: str, width: int) -> list[Line]:
    """Lays out Markdown.

    Args:
        text: already made visible (`workbench.visible`).
        width: in cells.
    """
    layout = _Layout(width)
    layout.blocks(_parser().parse(text))
    return layout.lines


class _Layout:
    """Walks the tokens once; `_margins` is the stack of what stands left of the current block."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[Line] = []
        self._margins: list[tuple[Line, Line]] = []
        """(before the block's first line, before the others)."""
        self._tight: list[bool] = []
        self._pending_blank = False

    def blocks(self, tokens: Sequence["Token"]) -> None:
        numbers: list[int | None] = []
        index = 0
        while index < len(tokens):
            token = tokens[index]
            match token.type:
                case "paragraph_open":
                    self._block(_inline(tokens[index + 1], "text"))
                    index += 2
                    self._gap(tight=token.hidden)
                case "heading_open":
                    self._block(_inline(tokens[index + 1], "heading"))
                    index += 2
                    self._gap()
                case "bullet_list_open":
                    numbers.append(None)
                case "ordered_list_open":
                    numbers.append(int(token.attrGet("start") or 1))
                case "list_item_open":
                    number = numbers[-1]
                    label = f"{glyphs.bullet} " if number is None else f"{number}. "
                    if number is not None:
                        numbers[-1] = number + 1
                    self._margins.append(((Run(label, "muted"),), (Run(" " * cell_len(label)),)))
                case "list_item_close":
                    self._margins.pop()
                case "bullet_list_close" | "ordered_list_close":
                    numbers.pop()
                    if not numbers:
                        self._gap()
                case "blockquote_open":
                    quote = (Run(f"{glyphs.bar} ", "faint"),)
                    self._margins.append((quote, quote))
                case "blockquote_close":
                    self._margins.pop()
                    self._gap()
                case "fence" | "code_block":
                    self._code(token.content)
                    self._gap()
                case "hr":
                    self._line((Run(glyphs.rule * min(self._room, 24), "faint"),))
                    self._gap()
                case "html_block":
                    self._block([[Run(line)] for line in token.content.rstrip("\n").split("\n")])
                    self._gap()
                case "table_open":
                    end = next(i for i in range(index, len(tokens)) if tokens[i].type == "table_close")
                    self._table(tokens[index:end])
                    self._gap()
                    index = end
                case _:
                    pass
            index += 1

    @property
    def _room(self) -> int:
        return max(self.width - sum(line_width(rest) for _first, rest in self._margins), 4)

    def _gap(self, tight: bool = False) -> None:
        """A blank line before whatever comes next, unless this is a tight list."""
        self._pending_blank = not tight

    def _line(self, runs: Line) -> None:
        if self._pending_blank and self.lines:
            self.lines.append(tuple(run for first, rest in self._margins if first is rest for run in rest))
        self._pending_blank = False
        self.lines.append((*(run for first, _rest in self._margins for run in first), *runs))
        self._margins = [(rest, rest) for _first, rest in self._margins]

    def _block(self, logical: Sequence[Sequence[Run]]) -> None:
        for runs in logical:
            for line in wrap(runs, self._room):
                self._line(line)

    def _code(self, content: str) -> None:
        room = self._room
        for source in content.removesuffix("\n").split("\n"):
            for line in wrap((Run(source, "block"),), room - 2):
                padding = " " * (room - 1 - line_width(line))
                self._line((Run(" ", "block"), *line, Run(padding, "block")))

    def _table(self, tokens: Sequence["Token"]) -> None:
        rows: list[list[list[Run]]] = []
        header = 0
        for i, token in enumerate(tokens):
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "thead_close":
                header = len(rows)
            elif token.type in ("th_open", "td_open"):
                ink = "strong" if token.type == "th_open" else "text"
                rows[-1].append([run for line in _inline(tokens[i + 1], ink) for run in line])
        columns = max(map(len, rows), default=0)
        if not columns:
            return
        wanted = [max(line_width(row[c]) if c < len(row) else 0 for row in rows) for c in range(columns)]
        widths = _fitted(wanted, self._room - 2 * (columns - 1))
        for number, row in enumerate(rows):
            if number == header and header:
                self._line((Run(glyphs.rule * min(sum(widths) + 2 * (columns - 1), self._room), "faint"),))
            cells = [wrap(row[c] if c < len(row) else (Run(""),), widths[c]) for c in range(columns)]
            for y in range(max(map(len, cells))):
                runs: list[Run] = []
                for c, cell in enumerate(cells):
                    line = cell[y] if y < len(cell) else ()
                    runs += [*line, Run(" " * (widths[c] - line_width(line) + (2 if c < columns - 1 else 0)))]
                self._line(tuple(runs))


def _fitted(wanted: list[int], room: int) -> list[int]:
    """Column widths that fit into `room` cells: the widest columns give way first."""
    widths = [max(width, 1) for width in wanted]
    while sum(widths) > room and max(widths) > 4:
        widths[widths.index(max(widths))] -= 1
    return widths


def _inline(token: "Token", ink: str) -> list[list[Run]]:
    """The logical lines of a paragraph."""
    lines: list[list[Run]] = [[]]
    inks = [ink]

    def add(text: str, extra: str = "") -> None:
        if text:
            lines[-1].append(Run(text, " ".join([*inks, extra]).strip()))

    href = ""
    for child in token.children or []:
        match child.type:
            case "softbreak" | "hardbreak":
                lines.append([])
            case "code_inline":
                add(child.content, "code")
            case "strong_open" | "em_open" | "s_open":
                inks.append({"strong_open": "strong", "em_open": "em", "s_open": "struck"}[child.type])
            case "strong_close" | "em_close" | "s_close":
                inks.pop()
            case "link_open":
                href = str(child.attrGet("href") or "")
                inks.append("link")
            case "link_close":
                inks.pop()
                shown = "".join(run.text for run in lines[-1])
                if href and not shown.endswith(href):
                    add(f" ({href})", "faint")
            case "image":
                add(f"[{child.content}]({child.attrGet('src') or ''})", "link")
            case _:
                add(child.content)
    return [line or [Run("")] for line in lines]
