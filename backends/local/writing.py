"""The answer while it is decoded: each new token becomes text, thinking or answer, and it is seen when to stop."""

import threading
import time
from collections.abc import Callable, Sequence

import torch

from ...workbench.conversation import Finish
from ...workbench.seam import Event, Text, Thinking, Token
from ..stop_strings import StopStrings
from ..thinking import Part, ThinkingSplitter
from .chances import Chances
from .tokenizer import TokenText


class Writing:
    """A stopping criterion of transformers', called after each token.

    Being one, rather than a streamer, it ends the decoding at the very token that completes a stop string.

    Args:
        text: makes text of tokens.
        thinking_opened: the prompt ended with the opening tag of thinking.
        stops: strings that end the answer; in the thinking they mean nothing.
        end_tokens: that end it.
        stopped: set when the answer isn't wanted any more.
        say: takes the events.
        on_token: told after each token but the first how many seconds it took.
        chances: tells how likely each token was, if that was asked for.
    """

    def __init__(
        self,
        text: TokenText,
        thinking_opened: bool,
        stops: Sequence[str],
        end_tokens: frozenset[int],
        stopped: threading.Event,
        say: Callable[[Event], None],
        on_token: Callable[[float], None],
        chances: Chances | None = None,
    ) -> None:
        self._text = text
        self._splitter = ThinkingSplitter(opened=thinking_opened)
        self._stops = StopStrings(stops)
        self._end_tokens = end_tokens
        self._stopped = stopped
        self._say = say
        self._on_token = on_token
        self._chances = chances
        self._unsaid_chances: list[Token] = []
        self._last_token: float | None = None
        self._unsaid = 0
        """Tokens whose text hasn't been said yet."""
        self.reason: Finish | None = None
        """Why it ended; None while it goes on, and when it was cut off by its length."""
        self.tokens = 0
        """All that were computed, the end token included."""
        self.thinking_tokens = 0
        self.first_token: float | None = None
        """Moments on the monotonic clock."""
        self.first_text: float | None = None
        self.first_answer: float | None = None

    @property
    def in_thinking(self) -> bool:
        """Whether the next token belongs to the thinking."""
        return self._splitter.thinking

    def __call__(self, input_ids: torch.Tensor, scores: object, **_: object) -> torch.Tensor:
        """Takes in the token just chosen, the last of `input_ids` (1, n); says whether to end, in shape (1,)."""
        ended = self._take(int(input_ids[0, -1]))
        return torch.tensor([ended], device=input_ids.device)

    def end(self) -> None:
        """Says what was held back."""
        # After a stop string this is nothing; but the tokens have been computed, and count in `tokens`.
        for part, text in self._splitter.flush():
            self._show(part, text)
        rest = self._stops.flush()
        if rest:
            self._answer(rest)

    def _take(self, id: int) -> bool:
        now = time.monotonic()
        if self._last_token is None:
            self.first_token = now
        else:
            self._on_token(now - self._last_token)
        self._last_token = now
        self.tokens += 1
        if id in self._end_tokens:
            self.reason = "stop"
            return True
        self._unsaid += 1
        if self._chances is not None and (token := self._chances.of(id)) is not None:
            self._unsaid_chances.append(token)
        thought = self._splitter.thinking
        for part, text in self._splitter.feed(self._text.step(id)):
            self._show(part, text)
        if thought or self._splitter.thinking:
            self.thinking_tokens += 1
        if self._stops.found is not None:
            self.reason = "stop"
        elif self._stopped.is_set():
            self.reason = "cancelled"
        return self.reason is not None

    def _show(self, part: Part, text: str) -> None:
        if part == "thinking":
            self.first_text = self.first_text or time.monotonic()
            self._say(Thinking(text, *self._said()))
        else:
            shown = self._stops.feed(text)
            if shown:
                self._answer(shown)

    def _answer(self, text: str) -> None:
        self.first_text = self.first_text or time.monotonic()
        self.first_answer = self.first_answer or time.monotonic()
        self._say(Text(text, *self._said()))

    def _said(self) -> tuple[int, tuple[Token, ...]]:
        """How many tokens the text being said is made of, and how likely they were."""
        tokens, self._unsaid = self._unsaid, 0
        chances, self._unsaid_chances = tuple(self._unsaid_chances), []
        return tokens, chances
