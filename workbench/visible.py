"""The one place where text from outside is made safe for a terminal.

Text from models, files, servers, their names and their error messages included, reaches the terminal only through
`visible` (for showing) or `visible_in_editor` (for editing). Neither lets a control code, an escape sequence or a bidi
override through, and neither reads `[…]` as markup.
"""

import re

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


_IN_EDITOR = {code: shown for code, shown in _ONE_TO_ONE.items() if code not in (0x09, 0x0A)}


def visible_in_editor(text: str) -> str:
    """The same of a piece of text that is being edited, in which tabs and line feeds are what they are."""
    return text if text.isprintable() else text.translate(_IN_EDITOR)


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
