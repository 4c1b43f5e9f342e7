"""Words on the screen and in the command's messages, in English and Simplified Chinese.

The catalogue is data: `AREA.toml` beside this file, one line an entry, both languages side by side:

    unset_variable = { en = "{name} has no value.", zh = "{name} 还没有值。" }

An area is read when its first word is said, so that the first paint doesn't wait for words it doesn't show.
"""

import os
import tomllib
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "zh")

_current = "en"


def choose(language: str | None) -> str:
    """Sets the language of all that is said from now on.

    Args:
        language: `en`, `zh`, or None to go by the environment (LC_ALL, LC_MESSAGES, LANG, in POSIX's order).

    Returns:
        The language chosen; anything unknown means `en`.
    """
    global _current
    if language is None:
        variables = ("LC_ALL", "LC_MESSAGES", "LANG")
        language = next((os.environ[name] for name in variables if os.environ.get(name)), "en")
    _current = "zh" if language.lower().startswith("zh") else "en"
    return _current


def current() -> str:
    """The language that words are said in: `en` or `zh`."""
    return _current


@cache
def catalogue(area: str) -> dict[str, dict[str, str]]:
    """All entries of one area: entry to language to text."""
    return tomllib.loads(files(__name__).joinpath(f"{area}.toml").read_text(encoding="utf-8"))


def say(key: str, **params: object) -> str:
    """The words for `area.entry` in the current language, with `{placeholders}` filled in.

    Raises:
        KeyError: the catalogue has no such entry, or a placeholder has no value: a mistake in the program.
    """
    area, entry = key.split(".", 1)
    text = catalogue(area)[entry][_current]
    return text.format(**params) if params else text
