"""From the chunks of a stream to events: thinking and answer told apart, token chances, usage, the end."""

import math
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any, cast

from ...workbench.conversation import Finish, Usage
from ...workbench.seam import Alternative, Text, Thinking, Token
from ...workbench.visible import without_surrogates
from ..thinking import CLOSE, OPEN, ThinkingSplitter
from .complaint import Complaint, of_event

_FINISHES: dict[str, Finish] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
    "sensitive": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
"""What servers call the end of an answer; anything else is an ordinary stop."""

_BROKEN = frozenset({"abort", "error", "insufficient_system_resource", "network_error"})
"""Ends that are none: the server gave up."""

_Piece = Text | Thinking


class Complained(Exception):
    """A chunk that is an error."""

    def __init__(self, complaint: Complaint) -> None:
        super().__init__(complaint.said)
        self.complaint = complaint


class ChunkReader:
    """Reads the chunks of one answer.

    Args:
        inline: thinking may stand in the answer's own text, in `<think>` tags.
        opened: it most likely begins inside its thinking, the opening tag being part of the prompt.
    """

    def __init__(self, *, inline: bool = False, opened: bool = False) -> None:
        self._splitter = ThinkingSplitter() if inline else None
        self._undecided: str | None = "" if inline and opened else None
        """What came of a text that may begin inside its thinking, until it shows whether it has the opening tag."""
        self._guessed: list[str] | None = None
        """Thinking that is taken for such only since the answer most likely began inside it."""
        self._inline = inline
        self._half = ""
        """A surrogate whose other half is still to come."""
        self._waiting: tuple[int, tuple[Token, ...]] = (0, ())
        """Tokens and their chances whose text the splitter holds back."""
        self._raw_usage: Mapping[str, Any] | None = None
        self.finish: str | None = None
        """How it ended, in the server's own word; None while it hasn't said so."""
        self.model: str | None = None
        """What the server calls the model that answered."""
        self.tokens = 0
        """Pieces that came: about one a token."""
        self.closes_unopened = False
        """A closing tag came without an opening one: this model begins inside its thinking."""

    def feed(self, chunk: Any) -> list[_Piece]:
        """What a chunk adds.

        Raises:
            Complained: it is an error.
        """
        if not isinstance(chunk, dict):
            return []
        table = cast(dict[str, Any], chunk)
        choices = table.get("choices")
        if not choices:
            usage = table.get("usage")
            if isinstance(usage, dict):
                self._raw_usage = cast(dict[str, Any], usage)
            elif table.get("error") or ("choices" not in table and _is_error(table)):
                raise Complained(of_event(table))
            return []
        if table.get("error"):
            raise Complained(of_event(table))
        if isinstance(table.get("usage"), dict):
            self._raw_usage = table["usage"]
        if self.model is None and isinstance(table.get("model"), str):
            self.model = table["model"]
        pieces: list[_Piece] = []
        for choice in _tables(choices):
            # Of several answers at once, only the first was asked for.
            if not choice.get("index"):
                self._choice(choice, pieces)
        return pieces

    def flush(self) -> list[_Piece]:
        """The stream is over: what was held back."""
        pieces: list[_Piece] = []
        if self._undecided:
            self._undecided, held = None, self._undecided
            self._split(held, pieces)
        if self._half:
            self._half, half = "", self._half
            self._split(without_surrogates(half), pieces)
        if self._splitter is not None:
            for part, text in self._splitter.flush():
                self._add(part, text, pieces)
        if self._guessed and self.finish is not None and self.ending == "stop":
            # It never closed its thinking, and ended of its own accord: it was the answer after all.
            pieces.append(Text("".join(self._guessed), 0))
        return pieces

    @property
    def ending(self) -> Finish:
        """How it ended, in our words; `error` if the server gave up."""
        said = (self.finish or "stop").lower()
        return "error" if said in _BROKEN else _FINISHES.get(said, "stop")

    @property
    def usage_came(self) -> bool:
        """Whether the server told the tokens that it counted."""
        return self._raw_usage is not None

    def usage(self, asked: str) -> Usage:
        """The tokens as the server counted them; those that came, as far as it told none.

        Args:
            asked: the model that was asked for; another one that answered is noted under `model`.
        """
        raw = self._raw_usage or {}
        completion = _number(raw, "completion_tokens", "output_tokens")
        return Usage(
            prompt_tokens=_number(raw, "prompt_tokens", "input_tokens"),
            completion_tokens=self.tokens if completion is None else completion,
            cached_tokens=_number(_table(raw, "prompt_tokens_details"), "cached_tokens")
            or _number(raw, "prompt_cache_hit_tokens", "cached_tokens"),
            thinking_tokens=_number(_table(raw, "completion_tokens_details"), "reasoning_tokens")
            or _number(raw, "reasoning_tokens"),
            extra={"model": without_surrogates(self.model)} if self.model and self.model != asked else {},
        )

    def _choice(self, choice: dict[str, Any], pieces: list[_Piece]) -> None:
        finish = choice.get("finish_reason")
        if isinstance(finish, str) and finish:
            self.finish = finish
        delta: Any = choice.get("delta") or choice.get("message") or choice
        if not isinstance(delta, dict):
            return
        said = cast(dict[str, Any], delta)
        thought = _text(said.get("reasoning_content")) or _text(said.get("reasoning"))
        text = _text(said.get("content")) or _text(said.get("text")) or _text(said.get("refusal"))
        if not (thought or text):
            return
        chances = _chances(choice.get("logprobs"))
        count = len(chances) or 1
        self.tokens += count
        held, held_chances = self._waiting
        self._waiting = (held + count, (*held_chances, *chances) if chances else held_chances)
        if thought:
            if self._splitter is not None:
                # Told apart by the server: tags in the answer are the answer's.
                pieces += self.flush()
                self._splitter, self._inline = None, False
            self._add("thinking", self._whole(thought), pieces)
        if text:
            self._split(self._whole(text), pieces)

    def _whole(self, text: str) -> str:
        """The text without lone surrogates; a pair that two chunks share is put together."""
        if text.isascii() and not self._half:
            return text
        text, self._half = self._half + text, ""
        if "\ud800" <= text[-1:] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return without_surrogates(text)

    def _split(self, text: str, pieces: list[_Piece]) -> None:
        """Adds text of the answer's own, which may hold thinking in tags."""
        if self._splitter is None:
            if self._inline and CLOSE in text:
                self.closes_unopened = True
            self._add("answer", text, pieces)
            return
        if self._undecided is not None:
            self._undecided += text
            start = self._undecided.lstrip()
            if len(start) < len(OPEN) and OPEN.startswith(start):
                return
            text, self._undecided = self._undecided, None
            if not start.startswith(OPEN):
                self._splitter, self._guessed = ThinkingSplitter(opened=True), []
        for part, settled in self._splitter.feed(text):
            if part == "answer":
                self._splitter = self._guessed = None
                if self._inline and CLOSE in settled:
                    self.closes_unopened = True
            elif self._guessed is not None:
                self._guessed.append(settled)
            self._add(part, settled, pieces)

    def _add(self, part: str, text: str, pieces: list[_Piece]) -> None:
        if not text:
            return
        count, chances = self._waiting
        self._waiting = (0, ())
        pieces.append(Thinking(text, count, chances) if part == "thinking" else Text(text, count, chances))


def _is_error(table: Mapping[str, Any]) -> bool:
    """Whether a chunk without choices is an error, however it is written; DashScope has {"code", "message"}."""
    if table.get("object") == "error" or table.get("errors") or table.get("error_msg") or table.get("detail"):
        return True
    return isinstance(table.get("message"), str) and bool(table["message"]) and "code" in table


def _text(value: Any) -> str:
    """Text, also where it comes as a list of parts."""
    if isinstance(value, str):
        return value
    return "".join(part["text"] for part in _tables(value) if isinstance(part.get("text"), str))


def _tables(value: Any) -> list[dict[str, Any]]:
    """The tables in a list; none of what is no list."""
    if not isinstance(value, list):
        return []
    return [cast(dict[str, Any], item) for item in cast(list[Any], value) if isinstance(item, dict)]


def _table(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = raw.get(key)
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _number(raw: Mapping[str, Any], *keys: str) -> int | None:
    return next((raw[key] for key in keys if type(raw.get(key)) is int and raw[key] >= 0), None)


def _chances(logprobs: Any) -> tuple[Token, ...]:
    """The chances of the tokens, in the shape of chats ({"content": [...]}) or of completions ({"tokens": [...]})."""
    if not isinstance(logprobs, dict):
        return ()
    table = cast(dict[str, Any], logprobs)
    if isinstance(table.get("content"), list):
        return tuple(map(_chat_chance, _tables(table["content"])))
    tokens, chosen = table.get("tokens"), table.get("token_logprobs")
    if not (isinstance(tokens, list) and isinstance(chosen, list)):
        return ()
    told = table.get("top_logprobs")
    tops: list[Any] = cast(list[Any], told) if isinstance(told, list) else []
    return tuple(
        Token(without_surrogates(str(text)), _logprob(logprob), _completion_alternatives(top))
        for text, logprob, top in zip_longest(cast(list[Any], tokens), cast(list[Any], chosen), tops)
        if isinstance(logprob, int | float)
    )


def _chat_chance(entry: dict[str, Any]) -> Token:
    return Token(
        without_surrogates(str(entry.get("token", ""))),
        _logprob(entry.get("logprob")),
        tuple(
            Alternative(without_surrogates(str(top.get("token", ""))), _logprob(top.get("logprob")))
            for top in _tables(entry.get("top_logprobs"))
        ),
    )


def _logprob(value: object) -> float:
    """A logarithm of a probability, whatever a server makes of it: none is above 0, and none is no number."""
    try:
        number = float(value) if isinstance(value, int | float) else float("-inf")
    except OverflowError:
        return float("-inf")
    return float("-inf") if math.isnan(number) else min(number, 0.0)


def _completion_alternatives(top: Any) -> tuple[Alternative, ...]:
    if not isinstance(top, dict):
        return ()
    return tuple(
        Alternative(without_surrogates(text), _logprob(logprob))
        for text, logprob in cast(dict[str, Any], top).items()
        if isinstance(logprob, int | float)
    )
