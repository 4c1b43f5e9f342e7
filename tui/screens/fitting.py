"""What fits a line that is typed: found among tens of thousands of names in milliseconds, the best first."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import accumulate, islice

from ..text.wrap import Line, Run

LOOKED_AT = 3000
"""Places where what is typed stands, after which no better one is looked for: far fewer are listed."""
SHORT = 2
"""So few letters stand in any sentence; a Chinese character is a word."""

MARK = "user strong"
"""The ink of what was typed."""

_WIDE = {0x3000: " ", **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}}


class Fit(IntEnum):
    """How well a name fits, the best first."""

    BEGINS = 0
    """It begins with what is typed."""
    WORD = 1
    """What is typed stands at the beginning of a word."""
    HELD = 2
    """All words that are typed are in it."""
    HELP = 3
    """They are in it and in what is told of it."""
    LETTERS = 4
    """All letters are in it, in this order, with others between them."""


def folded(text: str) -> str:
    """In small letters, and those of full width as those of half."""
    return text.lower() if text.isascii() else text.lower().translate(_WIDE)


class _Lines:
    """Folded texts, looked through as one: that takes a tenth of the time of going through them."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.text = "\n".join(("", *lines, ""))
        self._starts = list(accumulate((len(line) + 1 for line in lines), initial=1))

    def number(self, at: int) -> int:
        """Of the line that stands there."""
        return bisect_right(self._starts, at) - 1

    def places(self, sought: str) -> Iterator[int]:
        at = -1
        while (at := self.text.find(sought, at + 1)) >= 0:
            yield at

    def holding(self, words: Sequence[str]) -> Iterator[int]:
        """The numbers of the lines that all of these are in."""
        rarest = min(words, key=self.text.count)
        at = self.text.find(rarest)
        while at >= 0:
            number = self.number(at)
            start, end = self._starts[number], self._starts[number + 1] - 1
            if all(self.text.find(word, start, end) >= 0 for word in words):
                yield number
            at = self.text.find(rarest, end)

    def strewn(self, letters: str) -> Iterator[int]:
        """The numbers of the lines that have these letters in this order."""
        steps = "".join(f"[^{letter}\n]*{letter}" for letter in map(re.escape, letters))
        return (self.number(found.end() - 1) for found in re.finditer(f"\n{steps}", self.text))


class Names:
    """The names of things of one kind, folded once.

    Args:
        kind: stands before each of them, and may be typed as well; or nothing.
        names: a line each.
        told: what else is known of each, in which words are looked for too.
    """

    def __init__(self, kind: str, names: Sequence[str], told: Sequence[str] = ()) -> None:
        low = [folded(name) for name in names]
        self.count = len(low)
        self._kind = folded(kind).split()
        self._names = _Lines(low)
        self._told = _Lines([f"{name} {folded(more)}" for name, more in zip(low, told, strict=True)]) if told else None

    def fitting(self, typed: str, most: int) -> list[tuple[Fit, int]]:
        """The names that fit, by their numbers, at most so many: the best first, else in their order.

        Those that only have its letters count where no other does.

        Args:
            typed: something besides blanks.
        """
        words, rest = self._words(typed)
        found: dict[int, Fit] = {}
        self._find(words, found, most)
        if rest and rest != words:
            self._find(rest, found, most)
        elif not rest:
            for number in range(min(self.count, most)):
                found.setdefault(number, Fit.HELD)
        if not found and len(letters := "".join(rest)) > 1:
            found = dict.fromkeys(islice(self._names.strewn(letters), most), Fit.LETTERS)
        if self._told is not None and any(len(word) > SHORT or not word.isascii() for word in rest):
            for number in islice(self._told.holding(rest), most):
                found[number] = min(found.get(number, Fit.HELP), Fit.HELP)
        return sorted((fit, number) for number, fit in found.items())[:most]

    def _words(self, typed: str) -> tuple[list[str], list[str]]:
        """What is typed, folded: all of its words, and those without what names the kind."""
        words = folded(typed).split()
        rest = [word for word in words if not any(part.startswith(word) for part in self._kind)]
        for part in self._kind:
            rest = [word.removeprefix(part) for word in rest]
        return words, rest

    def _find(self, words: Sequence[str], found: dict[int, Fit], most: int) -> None:
        names = self._names
        if not all(word in names.text for word in words):
            return
        phrase = " ".join(words)
        for at in islice(names.places(f"\n{phrase}"), most):
            found[names.number(at + 1)] = Fit.BEGINS
        for at in islice(names.places(phrase), LOOKED_AT):
            number, fit = names.number(at), Fit.HELD if names.text[at - 1].isalnum() else Fit.WORD
            found[number] = min(found.get(number, fit), fit)
        if len(words) > 1:
            for number in islice(names.holding(words), most):
                found.setdefault(number, Fit.HELD)

    def marked(self, name: str, typed: str, fit: Fit, ink: str = "text") -> Line:
        """One of the names, or what is told of it, with what is typed in another ink."""
        words, rest = self._words(typed)
        low = folded(name)
        if len(low) != len(name):
            # A letter that is two small ones (İ) would set all marks behind it wrongly.
            return (Run(name, ink),)
        runs: list[Run] = []
        done = 0
        for start, end in _strewn(low, "".join(rest)) if fit is Fit.LETTERS else _standing(low, {*words, *rest}):
            runs += [Run(name[done:start], ink), Run(name[start:end], MARK)]
            done = end
        return tuple(run for run in (*runs, Run(name[done:], ink)) if run.text)


def _standing(name: str, words: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where these words are, none over another."""
    either = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return (found.span() for found in re.finditer(either, name))


def _strewn(name: str, letters: str) -> Iterator[tuple[int, int]]:
    """Where these letters are, one after the other."""
    at = -1
    for letter in letters:
        at = name.find(letter, at + 1)
        yield at, at + 1
