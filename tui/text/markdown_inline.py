"""The inline part of Markdown: a paragraph's tokens as logical lines of runs; and emphasis that works in Chinese."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import get_character_cell_size

from ...workbench.visible import visible_line
from .wrap import Run

if TYPE_CHECKING:
    from markdown_it.rules_inline.state_inline import StateInline
    from markdown_it.token import Token

_INKS = {"strong": "strong", "em": "em", "s": "struck", "link": "link"}
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_BEFORE_ROW = re.compile(r"^[\s>]*(?:(?:[-+*]|\d+[.)])\s+)*")


def inline_lines(token: "Token", ink: str) -> list[list[Run]]:
    """The logical lines of a paragraph, a heading or a table's cell.

    Args:
        token: of the type `inline`.
        ink: of what isn't marked up.
    """
    lines: list[list[Run]] = [[]]
    # Counted, not stacked: a thousand nested emphases look like one, and must not cost more.
    inks = Counter({ink: 1})
    link = ""

    def add(text: str, extra: str = "") -> None:
        # Entities (`&#13;`, `&#x202e;`) have become characters since the whole text was made visible.
        if shown := visible_line(text):
            names = [name for name, count in inks.items() if count]
            lines[-1].append(Run(shown, " ".join([*names, extra]).strip()))

    for child in token.children or []:
        kind, _, edge = child.type.rpartition("_")
        match child.type:
            case "softbreak" | "hardbreak":
                lines.append([])
            case "code_inline":
                add(child.content, "code")
            case "link_open":
                link = _target(child, "href")
                inks["link"] += 1
            case "link_close":
                inks["link"] -= 1
                if link and not "".join(run.text for run in lines[-1]).endswith(visible_line(link)):
                    add(f" ({link})", "faint")
            case "image":
                add(f"[{child.content}]({_target(child, 'src')})", "link")
            case _ if edge in ("open", "close") and kind in _INKS:
                inks[_INKS[kind]] += 1 if edge == "open" else -1
            case _:
                add(child.content)
    return [line or [Run("")] for line in lines]


def _target(token: "Token", name: str) -> str:
    """Where a link or an image leads, and its title."""
    target, title = str(token.attrGet(name) or ""), token.attrGet("title")
    return f'{target} "{title}"' if title else target


def cells_of(row: str) -> list[str]:
    """The cells of a table's row, from its source."""
    return _CELL_BORDER.split(_BEFORE_ROW.sub("", row).strip().removeprefix("|").removesuffix("|"))


def emphasis(state: "StateInline", silent: bool) -> bool:
    """A markdown-it rule, in place of its own for `*` and `_`.

    CommonMark tells opening from closing asterisks by blanks and punctuation beside them. Chinese has no blanks, and
    `这是**“重点”**内容` would keep its asterisks: beside a wide character, only a blank on the other side decides.
    """
    from markdown_it.rules_inline.state_inline import Delimiter

    at, source = state.pos, state.src
    marker = source[at]
    if silent or marker not in "*_":
        return False
    scanned = state.scanDelims(at, marker == "*")
    opens, closes = scanned.can_open, scanned.can_close
    end = at + scanned.length
    before, after = source[at - 1 : at] or " ", source[end : min(end + 1, state.posMax)] or " "
    if marker == "*":
        opens = opens or (_is_wide(before) and not after.isspace())
        closes = closes or (_is_wide(after) and not before.isspace())
    for _ in range(scanned.length):
        token = state.push("text", "", 0)
        token.content = marker
        state.delimiters.append(
            Delimiter(
                marker=ord(marker),
                length=scanned.length,
                token=len(state.tokens) - 1,
                end=-1,
                open=opens,
                close=closes,
            )
        )
    state.pos = end
    return True


def _is_wide(char: str) -> bool:
    return get_character_cell_size(char) == 2


def joined(lines: Sequence[Sequence[Run]]) -> list[Run]:
    """Logical lines as one."""
    return [run for line in lines for run in line]
