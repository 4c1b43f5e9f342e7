"""Markdown as lines of runs: an answer laid out for reading in a terminal, quiet, with Chinese line breaks.

Parsed by markdown-it (CommonMark with tables and strikethrough). No word of the source is lost: HTML is text, links
show where they lead, and reference definitions stay where they stand. Line breaks of the source are kept, since models
write verse, addresses and lists without a second thought for two trailing blanks.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from ...workbench.visible import visible_line
from .glyphs import glyphs
from .markdown_inline import cells_of, emphasis, inline_lines, joined
from .wrap import Line, Run, line_width, truncate, wrap, wrap_text

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

DEEPEST = 20
"""Blocks nested deeper than this are dropped by the parser: such a text is shown as it is."""
NARROWEST_COLUMN = 4
"""Cells, of a table's column that has to give way."""
GUTTER = 2
"""Cells between columns."""


@cache
def _parser() -> "MarkdownIt":
    # Imported when the first answer is shown: the first paint doesn't need it.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": DEEPEST}).enable(["table", "strikethrough"]).disable("reference")
    parser.inline.ruler.at("emphasis", emphasis)
    return parser


def render(text: str, width: int) -> list[Line]:
    """Lays out Markdown.

    Args:
        text: already made visible (`workbench.visible`).
        width: in cells; less than 8 counts as 8.
    """
    width = max(width, 8)
    tokens = _parser().parse(text)
    too_deep = any(t.level >= DEEPEST - 1 and t.type in ("blockquote_open", "list_item_open") for t in tokens)
    if not too_deep:
        layout = _Layout(width, text.split("\n"))
        layout.blocks(tokens)
        if layout.lines or not text.strip():
            return layout.lines
    return wrap_text(text, width)


class _Margin(NamedTuple):
    """What stands left of a block: before its first line, and before the others."""

    first: Line
    rest: Line
    begun: bool = False

    @property
    def now(self) -> Line:
        return self.rest if self.begun else self.first


class _List(NamedTuple):
    """A list that is being laid out; `number` is the next item's, None for bullets."""

    number: int | None
    tight: bool = False


class _Layout:
    """Walks the tokens once; `_margins` is the stack of what stands left of the current block."""

    def __init__(self, width: int, source: Sequence[str]) -> None:
        self.width = width
        self.lines: list[Line] = []
        self._source = source
        self._margins: list[_Margin] = []
        self._lists: list[_List] = []
        self._pending_blank = False

    def blocks(self, tokens: Sequence["Token"]) -> None:
        index = 0
        while index < len(tokens):
            token = tokens[index]
            match token.type:
                case "paragraph_open":
                    self._block(inline_lines(tokens[index + 1], "text"))
                    index += 2
                    if self._lists:
                        self._lists[-1] = self._lists[-1]._replace(tight=token.hidden)
                    self._gap(tight=token.hidden)
                case "heading_open":
                    self._block(inline_lines(tokens[index + 1], "heading"))
                    index += 2
                    self._gap()
                case "bullet_list_open":
                    self._lists.append(_List(None))
                case "ordered_list_open":
                    start = token.attrGet("start")
                    self._lists.append(_List(1 if start is None else int(start)))
                case "list_item_open":
                    self._item(token)
                case "list_item_close":
                    if not self._margins[-1].begun:
                        self._line(())
                    self._margins.pop()
                case "bullet_list_close" | "ordered_list_close":
                    self._lists.pop()
                    self._gap(tight=bool(self._lists) and self._lists[-1].tight)
                case "blockquote_open":
                    quote = (Run(f"{glyphs.bar} ", "faint"),)
                    self._indent(quote, quote)
                case "blockquote_close":
                    self._margins.pop()
                    self._gap()
                case "fence" | "code_block":
                    self._code(token)
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

    # Margins

    @property
    def _room(self) -> int:
        """Cells beside the margins."""
        taken = max(sum(line_width(m.now) for m in self._margins), sum(line_width(m.rest) for m in self._margins))
        return self.width - taken

    def _item(self, token: "Token") -> None:
        number = self._lists[-1].number
        if number is None:
            label = f"{glyphs.bullet} "
        else:
            label = f"{number}{token.markup} "
            self._lists[-1] = self._lists[-1]._replace(number=number + 1)
        self._indent((Run(label, "muted"),), (Run(" " * cell_len(label)),))

    def _indent(self, first: Line, rest: Line) -> None:
        """Adds a margin; where too little room would be left beside it, what follows isn't indented further."""
        least = max(min(self.width // 3, 16), 4)
        if self._room - line_width(first) < least and any(not margin.begun for margin in self._margins):
            self._line(())
        if self._room - line_width(rest) < least:
            first, rest = (Run(truncate(first[0].text, self._room - 4), first[0].ink),), ()
        self._margins.append(_Margin(first, rest))

    def _gap(self, tight: bool = False) -> None:
        """A blank line before whatever comes next, unless this is a tight list."""
        self._pending_blank = not tight

    def _line(self, runs: Line) -> None:
        if self._pending_blank and self.lines:
            self.lines.append(tuple(run for margin in self._margins if margin.begun for run in margin.rest))
        self._pending_blank = False
        self.lines.append((*(run for margin in self._margins for run in margin.now), *runs))
        self._margins = [margin._replace(begun=True) for margin in self._margins]

    # Blocks

    def _block(self, logical: Sequence[Sequence[Run]]) -> None:
        for runs in logical:
            for line in wrap(runs, self._room):
                self._line(line)

    def _code(self, token: "Token") -> None:
        room = self._room
        language = visible_line(token.info.strip())
        content = [Run(language, "block faint")] if language else []
        content += [Run(source, "block") for source in token.content.removesuffix("\n").split("\n")]
        for source in content:
            for line in wrap((source,), room - 2):
                padding = " " * (room - 1 - line_width(line))
                self._line((Run(" ", "block"), *line, Run(padding, "block")))

    def _table(self, tokens: Sequence["Token"]) -> None:
        header: list[list[Run]] = []
        rows: list[list[list[Run]]] = []
        right: list[bool] = []
        for i, token in enumerate(tokens):
            match token.type:
                case "tr_open":
                    rows.append([])
                case "th_open":
                    header.append(joined(inline_lines(tokens[i + 1], "strong")))
                    right.append("right" in str(token.attrGet("style") or ""))
                case "td_open":
                    rows[-1].append(joined(inline_lines(tokens[i + 1], "text")))
                case _:
                    pass
        rows = [row for row in rows if row]
        first, last = tokens[0].map or (0, 0)
        source = self._source[first:last]
        if any(len(cells_of(row)) > len(header) for row in source):
            # Cells beyond the header's are dropped by the parser: shown as it was written, nothing is.
            self._block([[Run(row)] for row in source])
        elif (widths := fitted(_wanted([header, *rows]), self._room - GUTTER * (len(header) - 1))) is None:
            self._records(header, rows)
        else:
            self._row(header, widths, right)
            self._line((Run(glyphs.rule * (sum(widths) + GUTTER * (len(widths) - 1)), "faint"),))
            for row in rows:
                self._row(row, widths, right)

    def _row(self, row: Sequence[Sequence[Run]], widths: Sequence[int], right: Sequence[bool]) -> None:
        cells = [wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
        for y in range(max(map(len, cells))):
            runs: list[Run] = []
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True)):
                line = cell[y] if y < len(cell) else ()
                blank = Run(" " * (width - line_width(line)))
                gutter = Run(" " * (GUTTER if column < len(widths) - 1 else 0))
                runs += [blank, *line, gutter] if right[column] else [*line, blank, gutter]
            self._line(tuple(run for run in runs if run.text))

    def _records(self, header: Sequence[list[Run]], rows: Sequence[Sequence[list[Run]]]) -> None:
        """A table too wide to stand beside itself: its rows one below the other, each cell after its column's name."""
        if not rows:
            self._block(header)
        for row in rows:
            self._block([[*name, Run("  "), *cell] for name, cell in zip(header, row, strict=True)])
            self._gap()


def _wanted(rows: Sequence[Sequence[Sequence[Run]]]) -> list[int]:
    return [max(max(map(line_width, column)), 1) for column in zip(*rows, strict=True)]


def fitted(wanted: Sequence[int], room: int) -> list[int] | None:
    """Column widths that fit into `room` cells: the widest columns give way first. None: they can't be made to fit."""
    if sum(wanted) <= room:
        return list(wanted)
    if sum(min(width, NARROWEST_COLUMN) for width in wanted) > room:
        return None
    widths = [min(width, NARROWEST_COLUMN) for width in wanted]
    left = room - sum(widths)
    # Filled up like vessels that stand side by side, until the room is used up.
    while growing := [i for i, width in enumerate(widths) if width < wanted[i]]:
        step = min(left // len(growing), min(wanted[i] - widths[i] for i in growing))
        if step == 0:
            for i in growing[:left]:
                widths[i] += 1
            break
        for i in growing:
            widths[i] += step
        left -= step * len(growing)
    return widths
