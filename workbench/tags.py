"""A conversation's tags as a person types them."""

import re
from collections.abc import Iterable

_APART = re.compile(r"[\s,，、;；]+")


def tags_in(text: str) -> tuple[str, ...]:
    """The tags of a line such as `mail #late, zh`: parted by blanks or commas, each once, without their `#`."""
    words = (word.lstrip("#＃") for word in _APART.split(text))
    return tuple(dict.fromkeys(word for word in words if word))


def tags_line(tags: Iterable[str], mark: str = "") -> str:
    """The tags on one line, each with a mark before it."""
    return " ".join(f"{mark}{tag}" for tag in tags)
