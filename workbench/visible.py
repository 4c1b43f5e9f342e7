"""The one place where text from outside is made safe for a terminal.

Text from models, files, servers, their names and their error messages included, reaches the terminal only through
`visible` (for showing) or a `Disguise` (for editing). Neither lets a control code, an escape sequence or a bidi
override through, and neither reads `[…]` as markup.
"""

import re
from collections.abc import Iterator

NEWLINE_LIKE = "\u2028\u2029"
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff" + "".join(
    map(chr, [*range(0xFE00, 0xFE10), *range(0xE0000, 0xE0080), *range(0xE0100, 0xE01F0)])
)

_SHOWN: dict[int, str | None] = {
    **{code: chr(0x2400 + code) for code in range(0x20)},
    0x7F: "\u2421",
    **dict.fromkeys(range(0x80, 0xA0), "\ufffd"),
    **{ord(mark): "\u2424" for mark in NEWLINE_LIKE},
    **{ord(mark): "\u2194" for mark in BIDI},
    # Joiners, tags and variation selectors make a cell count that terminals disagree on: without them each emoji stands
    # for itself, two cells wide everywhere. The text itself keeps them.
    **{ord(mark): None for mark in ZERO_WIDTH},
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}
del _SHOWN[0x0A]

_TABS = {0x09: "    "}
_ONE_LINE = {**_SHOWN, **_TABS, 0x0A: "\u240a"}
_LINES = {**_SHOWN, **_TABS}


# To look for what is replaced takes a tenth of the time that replacing takes, and mostly there is nothing.
_REPLACED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200d\u2060\ufeff\ufe00-\ufe0f"
    "\U000e0000-\U000e007f\U000e0100-\U000e01ef" + NEWLINE_LIKE + BIDI + "]"
)


def visible(text: str) -> str:
    """Text with every control shown as a symbol; line feeds stay, a tab becomes four blanks."""
    return text.translate(_LINES) if _REPLACED.search(text) else text


def visible_line(text: str) -> str:
    """The same on one line: a line feed shows as a symbol too. For names, titles, error messages."""
    return text if text.isascii() and text.isprintable() else text.translate(_ONE_LINE)


_ONE_TO_ONE = {**{code: shown for code, shown in _SHOWN.items() if shown}, 0x09: "\u2409", 0x0A: "\u240a"}


def shown_one_to_one(text: str) -> str:
    """The same with as many characters as the text has: for an input, which counts them. A tab is a symbol too."""
    return text if text.isascii() and text.isprintable() else text.translate(_ONE_TO_ONE)


_RAW = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff" + NEWLINE_LIKE + BIDI + "]")


def has_codes(text: str) -> bool:
    """Whether there is anything in it that `visible_line` shows as a symbol, and a terminal might obey."""
    return _RAW.search(text) is not None


def without_codes(text: str) -> str:
    """Text without any of that: the last guard, where how wide a text is has been settled, for what it overlooked."""
    return _RAW.sub(lambda found: "\ufffd" if "\ud800" <= found[0] <= "\udfff" else "", text)


def without_surrogates(text: str) -> str:
    """Text that can be encoded: a surrogate pair becomes its character, a lone surrogate U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


_HIDDEN = "".join(
    char for char in map(chr, [*range(0x20), *range(0x7F, 0xA0), *map(ord, NEWLINE_LIKE + BIDI)]) if char not in "\n\t"
)
_HAS_HIDDEN = re.compile("[" + re.escape(_HIDDEN) + "]")


def _unused(text: str) -> Iterator[int]:
    """Private-use characters that a text which has some of every block doesn't use."""
    used = set(text)
    return (code for code in range(0x10FFFD, 0xF0000, -1) if chr(code) not in used)


class Disguise:
    """A reversible stand-in for text in an editor that takes some characters for line ends or sends them raw.

    Each such character is replaced by one of a private-use block that the text doesn't use; `shown` maps the
    stand-ins to the symbols that `visible` shows.
    """

    def __init__(self, text: str) -> None:
        # The last planes first: what is typed or pasted later may hold a font's icons, which lie in the others.
        blocks = (*range(0x10F000, 0x100000, -0x100), 0xF000, 0xE800, 0xE000)
        size = len(_HIDDEN)
        start = next((b for b in blocks if not re.search(f"[{chr(b)}-{chr(b + size - 1)}]", text)), None)
        codes = _unused(text) if start is None else range(start, start + size)
        self._is_worn = False
        self._put_on = dict(zip(map(ord, _HIDDEN), codes, strict=False))
        self._take_off = {stand_in: chr(code) for code, stand_in in self._put_on.items()}
        self._show = {stand_in: _SHOWN[code] or chr(code) for code, stand_in in self._put_on.items()}

    def on(self, text: str) -> str:
        """The text as the editor holds it: as many characters, no controls but line feed and tab."""
        if not _HAS_HIDDEN.search(text):
            return text
        self._is_worn = True
        return text.translate(self._put_on)

    def off(self, text: str) -> str:
        """The text as it really is."""
        return text.translate(self._take_off) if self._is_worn else text

    def shown(self, line: str) -> str:
        """A line of the editor's text as it is painted: as many characters, symbols for stand-ins."""
        return line.translate(self._show)
