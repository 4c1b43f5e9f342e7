"""A backend that says what it was told to, token by token: for tests, and for pictures of the screen."""

import re
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate

import msgspec

from ..workbench.address import Address
from ..workbench.conversation import Finish, Timing, Usage
from ..workbench.sampling import Sampling
from ..workbench.seam import (
    Count,
    Event,
    Failed,
    FailureKind,
    Finished,
    Kind,
    Model,
    Piece,
    Prompt,
    Request,
    Share,
    Started,
    Text,
    Thinking,
)
from ..workbench.token_counts import MOST
from ..workbench.words import say
from .plain_completion import plain_spans, plain_text
from .shares import Span

PROVIDER = "scripted"

_TOKEN = re.compile(
    r"\s*(?:[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]|[^\W_\u2e80-\uffff]{1,6}|.)|\s+", re.S
)
"""A Chinese, Japanese or Korean character; up to six letters; a mark: each with the blanks before it."""

_HOLD_POLL_SECONDS = 0.02


def tokens(text: str) -> list[str]:
    """The text in pieces of about a token, always the same ones; joined, they are the text."""
    return _TOKEN.findall(text)


class _Answer(msgspec.Struct, frozen=True):
    """One answer to be given."""

    events: tuple[Event, ...]
    delay_seconds: float
    hold: threading.Event | None
    begins: bool
    """Whether a `Started` is to be made up before the events."""


class ScriptedBackend:
    """Gives the answers that were enqueued, one a request, in order; all methods may be called from any thread.

    Args:
        names: of the models it lists, as in `scripted:NAME`; it answers for any.
        kind: of those models.
        default: what it answers when nothing is enqueued; None: it fails then.
        context_length: of those models, in tokens.
    """

    def __init__(
        self,
        names: Sequence[str] = ("echo",),
        kind: Kind = "instruct",
        default: str | None = None,
        context_length: int = 4096,
    ) -> None:
        self.requests: list[Request] = []
        """Those that were generated for, in the order in which they came."""
        self.ignores: tuple[str, ...] = ()
        """Parameters that `unheeded` is to tell of."""
        self.unloaded: list[Address] = []
        self.closed = False
        self._names = tuple(names)
        self._kind: Kind = kind
        self._default = default
        self._context_length = context_length
        self._queue: deque[_Answer] = deque()
        self._loaded: set[str] = set()

    def enqueue(
        self,
        answer: str | Sequence[Event],
        *,
        delay_ms: float = 0,
        thinking: str = "",
        fail: FailureKind | None = None,
        message: str = "",
        finish: Finish = "stop",
        hold: threading.Event | None = None,
    ) -> None:
        """Adds the next answer.

        Args:
            answer: its text; or its events, `Started` and the last one included: then only `delay_ms` and `hold` count.
            delay_ms: before each piece of thinking or text.
            thinking: what comes before the text.
            fail: it breaks off so after the text, with `message`, instead of finishing; with no text, before it begins.
            message: of the failure.
            finish: how it ends, if it doesn't fail.
            hold: not None: after the first piece of thinking or text, it waits until this is set.
        """
        if not isinstance(answer, str):
            self._queue.append(_Answer(tuple(answer), delay_ms / 1000, hold, begins=False))
            return
        thought, said = tokens(thinking), tokens(answer)
        usage = Usage(completion_tokens=len(thought) + len(said), thinking_tokens=len(thought) or None)
        events: list[Event] = [*map(Thinking, thought), *map(Text, said)]
        events.append(Finished(finish, usage, Timing()) if fail is None else Failed(fail, message or fail))
        begins = fail is None or bool(thought or said)
        self._queue.append(_Answer(tuple(events), delay_ms / 1000, hold, begins))

    def generate(self, request: Request, stop: threading.Event) -> Iterator[Event]:
        """The next enqueued answer."""
        self.requests.append(request)
        answer = self._next()
        if answer is None:
            yield Failed("invalid_request", say("models.nothing_scripted"))
            return
        self._loaded.add(request.address.name)
        prompt = self._prompt(request)
        if answer.begins:
            yield self._started(request, prompt)
        given = 0
        for event in answer.events:
            if isinstance(event, Thinking | Text):
                stop.wait(answer.delay_seconds)
                if given and answer.hold is not None:
                    _wait_for(answer.hold, stop)
                if not stop.is_set():
                    given += event.tokens
            if stop.is_set():
                yield Finished("cancelled", Usage(prompt_tokens=prompt.tokens, completion_tokens=given))
                return
            if isinstance(event, Finished) and event.usage.prompt_tokens is None:
                usage = msgspec.structs.replace(event.usage, prompt_tokens=prompt.tokens)
                event = msgspec.structs.replace(event, usage=usage)
            yield event

    def prompt(self, request: Request, stop: threading.Event) -> Prompt:
        """The messages in ChatML; for a base model, their bare texts."""
        return self._prompt(request)

    def count(self, request: Request, stop: threading.Event) -> Count | None:
        """As `prompt` has them; nothing, where that takes so long that the screen would feel it."""
        if sum(len(turn.text) for turn in request.messages) > MOST:
            return None
        prompt = self._prompt(request)
        return Count(prompt.shares[-1].tokens, prompt.tokens, prompt.context_length)

    def models(self) -> list[Model]:
        """One entry for each of the names."""
        return [
            Model(
                address=Address(PROVIDER, name),
                title=name,
                state="loaded" if name in self._loaded else "on_disk",
                kind=self._kind,
                parameters=135_000_000,
                size_bytes=98_000_000,
                context_length=self._context_length,
            )
            for name in self._names
        ]

    def unheeded(self, request: Request) -> dict[str, str]:
        """Nothing, unless `ignores` says so."""
        return {
            name: say("models.unheeded", name=name)
            for name in self.ignores
            if getattr(request.sampling, name) is not None
        }

    def unload(self, address: Address) -> None:
        """Notes that it was asked to."""
        self._loaded.discard(address.name)
        self.unloaded.append(address)

    def close(self) -> None:
        """Notes that it was asked to."""
        self._loaded.clear()
        self.closed = True

    def _next(self) -> _Answer | None:
        try:
            return self._queue.popleft()
        except IndexError:
            if self._default is None:
                return None
        self.enqueue(self._default)
        return self._queue.popleft()

    def _started(self, request: Request, prompt: Prompt) -> Started:
        sampling = request.sampling.with_defaults(Sampling(temperature=1.0, top_p=1.0, top_k=0))
        return Started(prompt.mode, sampling, prompt.tokens, self._context_length)

    def _prompt(self, request: Request) -> Prompt:
        pieces: list[Piece] = []
        if self._kind == "base":
            pieces.append(Piece(plain_text(request.messages)))
        else:
            for number, turn in enumerate(request.messages, start=1):
                pieces += [Piece("<|im_start|>", special=True), Piece(f"{turn.role}\n{turn.text}")]
                if not (request.continue_last and number == len(request.messages)):
                    pieces += [Piece("<|im_end|>", special=True), Piece("\n")]
            if not request.continue_last:
                pieces += [Piece("<|im_start|>", special=True), Piece("assistant\n")]
        places = accumulate((len(piece.text) for piece in pieces), initial=0)
        if self._kind == "base":
            found = plain_spans(request.messages)
        else:
            bodies = [at for at, piece in zip(places, pieces, strict=False) if not piece.special and piece.text != "\n"]
            found = [
                Span(at + len(turn.role) + 1, at + len(turn.role) + 1 + len(turn.text))
                for at, turn in zip(bodies, request.messages, strict=False)
            ]
        told = tuple(Share(s.start, s.end, len(tokens(t.text))) for s, t in zip(found, request.messages, strict=True))
        count = sum(1 if piece.special else len(tokens(piece.text)) for piece in pieces)
        mode = "completion" if self._kind == "base" else "chat"
        return Prompt(mode, tuple(pieces), count, self._context_length, told)


def _wait_for(hold: threading.Event, stop: threading.Event) -> None:
    while not hold.wait(_HOLD_POLL_SECONDS):
        if stop.is_set():
            return
