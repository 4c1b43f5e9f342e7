"""From events to a take: what a run has brought so far, at any moment."""

import time
from datetime import UTC, datetime

import msgspec

from .conversation import Finish, Take, TakeError, Timing, Usage
from .sampling import Sampling
from .seam import Event, Failed, Finished, Progress, Request, Started, Text, Thinking, Token
from .toml_problems import mended
from .visible import without_surrogates


class Answer:
    """One answer as it grows. Fed by a worker thread; whoever shows it reads the attributes at any time."""

    def __init__(self, request: Request, prompt_hash: str, prefix: str = "") -> None:
        self.request = request
        self.prompt_hash = prompt_hash
        self.prefix = prefix
        self.text = prefix
        self.thinking = ""
        self.tokens = 0
        """Tokens of thinking and text so far."""
        self.chances: list[Token] = []
        """The tokens of the text with their probabilities, as far as the engine told them."""
        self.progress: Progress | None = Progress("starting")
        """What is being done before the first token; None from then on."""
        self.started: Started | None = None
        self.finished: Finished | Failed | None = None
        self._asked = datetime.now(UTC).replace(microsecond=0)
        self._begun = time.monotonic()
        self._first_token: float | None = None
        self._first_answer: float | None = None
        self._ended: float | None = None
        self._latest = self._begun

    def feed(self, event: Event) -> None:
        """Takes in the next event. Lone surrogates become U+FFFD here, where text enters."""
        self._latest = time.monotonic()
        match event:
            case Progress():
                self.progress = event
            case Started():
                self.started = event
                self._begun = time.monotonic()
            case Thinking(text, tokens, _):
                self._arrived(tokens)
                self.thinking += without_surrogates(text)
            case Text(text, tokens, chances):
                self._arrived(tokens)
                self.chances += chances
                self.text += without_surrogates(text)
                if self._first_answer is None:
                    self._first_answer = time.monotonic()
            case Finished() | Failed():
                self._ended = time.monotonic()
                self.progress = None
                self.finished = event

    def _arrived(self, tokens: int) -> None:
        self.progress = None
        self.tokens += tokens
        if self._first_token is None:
            self._first_token = time.monotonic()

    @property
    def finish(self) -> Finish | None:
        """How it ended; None while it goes on."""
        match self.finished:
            case Finished(reason):
                return reason
            case Failed():
                return "error"
            case None:
                return None

    @property
    def runs_on(self) -> bool:
        """Whether it is plain text that goes on from what stands before it; known once it has begun."""
        return self.started is not None and self.started.mode == "completion"

    @property
    def tokens_per_second(self) -> float | None:
        """While decoding, up to now. None before the second token."""
        if self._first_token is None or self.tokens < 2:
            return None
        elapsed = (self._ended or time.monotonic()) - self._first_token
        return (self.tokens - 1) / elapsed if elapsed > 0 else None

    @property
    def elapsed(self) -> float:
        """Seconds since it was asked for, or since the model began on it."""
        return (self._ended or time.monotonic()) - self._begun

    @property
    def silence(self) -> float:
        """Seconds since anything has come; 0 once it has ended."""
        return 0.0 if self.finished is not None else time.monotonic() - self._latest

    @property
    def has_content(self) -> bool:
        """Whether the model wrote anything at all, thinking included."""
        return bool(self.thinking) or len(self.text) > len(self.prefix)

    def take(self) -> Take:
        """The answer as a take, complete or as far as it came."""
        sampling: Sampling = self.started.sampling if self.started else self.request.sampling
        usage, timing, error = Usage(), Timing(), None
        match self.finished:
            case Finished():
                usage, timing = self.finished.usage, self.finished.timing
            case Failed(kind, message):
                error = TakeError(kind, without_surrogates(message))
            case None:
                pass
        if usage.prompt_tokens is None and self.started:
            usage = msgspec.structs.replace(usage, prompt_tokens=self.started.prompt_tokens)
        if usage.completion_tokens is None:
            usage = msgspec.structs.replace(usage, completion_tokens=self.tokens)
        take = Take(
            text=self.text,
            thinking=self.thinking or None,
            model=str(self.request.address),
            created=self._asked,
            seed=sampling.seed,
            prompt_hash=self.prompt_hash,
            prefix=len(self.prefix) or None,
            left_out=self.started.left_out or None if self.started else None,
            finish=self.finish,
            error=error,
            sampling=sampling,
            usage=usage,
            timing=self._filled_in(timing),
        )
        # Engines have odd defaults, such as a top_k of -1: one that no file can hold must not cost the answer.
        return mended(take)

    def _filled_in(self, timing: Timing) -> Timing:
        """The engine's own timings, with what it didn't measure taken from this side of the seam."""

        def since(moment: float | None) -> float | None:
            return None if moment is None else round((moment - self._begun) * 1000, 1)

        rate = self.tokens_per_second
        own = {
            "first_token_ms": since(self._first_token),
            "first_answer_ms": since(self._first_answer),
            "total_ms": since(self._ended),
            "tokens_per_second": None if rate is None else round(rate, 2),
        }
        missing = {name: value for name, value in own.items() if getattr(timing, name) is None}
        return msgspec.structs.replace(timing, **missing)
