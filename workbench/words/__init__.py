"""Words on the screen and in the command's messages, in English and Simplified Chinese.

The catalogue is data: `AREA.toml` beside this file, one line an entry, both languages side by side:

    unset_variable = { en = "{name} has no value.", zh = "{name} 还没有值。" }

A count and its noun, and whatever else in the sentence goes with it, are written with both forms:

    messages = { en = "{n} {n:message|messages}", zh = "{n} 条消息" }

An area is read when its first word is said, so that the first paint doesn't wait for words it doesn't show; and line
by line, as all entries are of this one form: TOML's own reader takes a tenth of the time to the first paint for it.
"""

import os
import re
from functools import cache
from pathlib import Path

import msgspec

LANGUAGES = ("en", "zh")

_TEXT = r'("(?:[^"\\]|\\.)*")'
_ENTRY = re.compile(rf"^(\w+) = \{{ en = {_TEXT}, zh = {_TEXT} \}}$", re.MULTILINE)

_FORMS = re.compile(r"\{(\w+):([^{}|]*)\|([^{}|]*)\}")
"""A count's name; what stands there for one, and for any other number."""

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
    written = Path(__file__).with_name(f"{area}.toml").read_text(encoding="utf-8")
    return {entry: {"en": _text(en), "zh": _text(zh)} for entry, en, zh in _ENTRY.findall(written)}


def _text(quoted: str) -> str:
    """A string as TOML writes it; the escapes that stand in the catalogue are those of JSON."""
    return msgspec.json.decode(quoted.encode(), type=str) if "\\" in quoted else quoted[1:-1]


def say(key: str, **params: object) -> str:
    """The words for `area.entry` in the current language, with `{placeholders}` filled in.

    Raises:
        KeyError: the catalogue has no such entry, or a placeholder has no value: a mistake in the program.
    """
    area, entry = key.split(".", 1)
    text = catalogue(area)[entry][_current]
    if not params:
        return text
    if "|" in text:
        text = _FORMS.sub(lambda form: form[2 if str(params[form[1]]).strip() == "1" else 3], text)
    return text.format(**params)
