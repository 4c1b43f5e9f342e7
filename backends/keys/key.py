"""A provider's key, as a value that doesn't show itself."""

import hashlib
from typing import NoReturn

from ...workbench.errors import Unreadable
from ...workbench.seam import KeySource

LONGEST = 4096
"""Characters; the longest keys in use, signed tokens, have some 1,500."""
TELLS_NOTHING = 20
"""So long a key can't be guessed from a fingerprint of it."""


class Key:
    """A key and where it was found. Only `value` gives it away: no repr, no text, no copy, no serialiser does."""

    __slots__ = ("source", "value")

    value: str
    source: KeySource

    def __init__(self, value: str, source: KeySource) -> None:
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "source", source)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{name}: a key doesn't change")

    def __repr__(self) -> str:
        return f"Key(…, {self.source!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and (self.value, self.source) == (other.value, other.source)

    def __hash__(self) -> int:
        return hash((self.value, self.source))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key isn't pickled")

    @property
    def fingerprint(self) -> str | None:
        """Eight hex digits that tell one key from another; None for a key so short that they would help to guess it."""
        if len(self.value) < TELLS_NOTHING:
            return None
        return hashlib.sha256(b"qiao key " + self.value.encode()).hexdigest()[:8]


def cleaned(text: str, *, place: str) -> str:
    """A key as it can be sent, from what was typed, pasted or exported: what stands around it goes.

    Args:
        place: what the text was read from, for the error: a variable's name, say.

    Raises:
        Unreadable: it is empty, or holds what no HTTP header may. The error doesn't quote it.
    """
    text = text.strip().strip("\ufeff\u200b").strip()
    # As an env file of Docker's hands them on.
    if len(text) > 2 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    if not text:
        raise Unreadable("keys.empty", place=place)
    wrong = next((i for i, char in enumerate(text) if not "!" <= char <= "~"), None)
    if wrong is not None:
        raise Unreadable("keys.wrong_character", place=place, number=wrong + 1, count=len(text))
    if len(text) > LONGEST:
        raise Unreadable("keys.too_long", place=place, most=LONGEST)
    return text
