"""Keys typed while an input method is on: full-width letters and marks count as the keys they stand for."""

from textual import events
from textual.keys import _character_to_key

_MARKS = {"：": ":", "？": "?", "／": "/", "　": " ", "、": "/", "。": ".", "，": ",", "；": ";", "【": "[", "】": "]"}


def plain_key(event: events.Key) -> events.Key | None:
    """The key that a full-width character stands for; None if it stands for none, or is no full-width character."""
    char = event.character
    if char is None or len(char) != 1:
        return None
    plain = _MARKS.get(char)
    if plain is None and 0xFF01 <= ord(char) <= 0xFF5E:
        plain = chr(ord(char) - 0xFEE0)
    if plain is None:
        return None
    return events.Key(plain if plain.isalnum() else _character_to_key(plain), plain)


def is_wide_text(event: events.Key) -> bool:
    """Whether the key carries text that only an input method produces."""
    from rich.cells import cell_len

    return bool(event.character) and cell_len(event.character or "") > 1
