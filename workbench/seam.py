"""The seam between the work and what answers: a Request goes in, events come out.

A backend is a plain object with blocking methods that are run in worker threads. It knows no screen.
"""

import threading
from collections.abc import Iterator
from typing import Literal, Protocol

import msgspec

from .address import Address
from .conversation import Finish, Role, Timing, Usage
from .errors import BrokenOff, QiaoError, Refused
from .sampling import Sampling

Mode = Literal["chat", "completion"]
"""How messages become a prompt: through the model's chat template, or, for a base model, their bare texts."""

Stage = Literal["fetching", "starting", "loading", "prefill", "connecting", "waiting", "retrying"]
"""fetching: download, bytes. starting: the engine's process. loading: weights, tensors. prefill: prompt, tokens.
connecting: to a server. waiting: the request is sent. retrying: it is sent again after a wait; seconds, of seconds.
"""

FailureKind = Literal[
    "unknown_model",  # the address names nothing that is here
    "missing_extra",  # a package that this backend needs is not installed
    "unloadable",  # it is here, but no model that this engine can read
    "invalid_request",  # messages or parameters that the model's side can't take
    "context_too_long",
    "out_of_memory",
    "engine_died",  # the process or connection behind it ended
    "no_key",  # the provider wants a key, and none is known
    "key_refused",
    "no_credit",  # the account lacks money, quota, or a verified name
    "content_refused",  # the provider's filter says no
    "rate_limited",  # too many requests, and trying again didn't help
    "unreachable",  # no server answers there
    "server_error",  # a server answers that it is broken or overloaded
    "bad_reply",  # what answers there doesn't speak this protocol
    "stalled",  # nothing came for too long
    "cut_off",  # the connection ended in the middle of the answer
]

REFUSALS: frozenset[FailureKind] = frozenset(
    {
        "unknown_model",
        "missing_extra",
        "unloadable",
        "invalid_request",
        "context_too_long",
        "no_key",
        "key_refused",
        "no_credit",
        "content_refused",
        "rate_limited",
        "unreachable",
    }
)
"""Failures that are a no, not an accident: the command exits with 3 rather than 4."""


class Turn(msgspec.Struct, frozen=True):
    """A message as it is sent: variables filled in, the chosen take in place."""

    role: Role
    text: str
    runs_on: bool = False
    """In plain text it follows the turn before it at once."""


class Request(msgspec.Struct, frozen=True):
    """One answer wanted. `sampling.n` plays no part here: n takes are n requests with seed + i."""

    address: Address
    messages: tuple[Turn, ...]
    sampling: Sampling = Sampling()
    continue_last: bool = False
    """The last message is an assistant's: its text is where the answer goes on from, and isn't sent back."""
    window: bool = False
    """The oldest messages may be left out where all of them don't fit; `window.fitted` does that, before a backend."""


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """What is being done before the first token. `total` is 0 while it isn't known."""

    stage: Stage
    done: int = 0
    total: int = 0
    note: str = ""
    """One line more, in the person's language: which step of a long start, why it is tried again."""


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The model is loaded and begins on this request; timings count from when it did."""

    mode: Mode
    sampling: Sampling
    """As sent, seed included, with the effective defaults that are known."""
    prompt_tokens: int | None = None
    context_length: int | None = None
    left_out: int = 0
    """So many of the oldest messages weren't sent."""


class Alternative(msgspec.Struct, frozen=True):
    """A token that might have stood there."""

    text: str
    logprob: float
    """Natural logarithm of its probability, before temperature and cut-offs where the engine tells that."""


class Token(msgspec.Struct, frozen=True):
    """A token that the model chose, and the likeliest ones at that place (its own among them, if it was one)."""

    text: str
    """As it reads; a part of a character is U+FFFD."""
    logprob: float
    alternatives: tuple[Alternative, ...] = ()


class Thinking(msgspec.Struct, frozen=True, tag="thinking"):
    """More of the thinking. `tokens`: how many the text is made of."""

    text: str
    tokens: int = 1
    chances: tuple[Token, ...] = ()
    """One a token, if `sampling.logprobs` asked for them and the engine tells."""


class Text(msgspec.Struct, frozen=True, tag="text"):
    """More of the answer. `tokens`: how many the text is made of."""

    text: str
    tokens: int = 1
    chances: tuple[Token, ...] = ()
    """One a token, if `sampling.logprobs` asked for them and the engine tells."""


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The answer ended, in one of the ordinary ways (`cancelled` among them). The last event."""

    reason: Finish
    usage: Usage = Usage()
    timing: Timing = Timing()


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The answer can't begin, or broke off. The last event; what had arrived stands."""

    kind: FailureKind
    message: str
    """One line in the person's language: what happened, to which model, what to do next."""

    def error(self) -> QiaoError:
        """The same as an exception, for a caller that wants one."""
        kind = Refused if self.kind in REFUSALS else BrokenOff
        return kind("asking.failed", message=self.message)


Event = Progress | Started | Thinking | Text | Finished | Failed


class Piece(msgspec.Struct, frozen=True):
    """A run of the exact prompt. `special`: it is one special token, not text that anyone wrote."""

    text: str
    special: bool = False


class Share(msgspec.Struct, frozen=True):
    """What of a prompt is one message's text; what stands around it is the chat template's."""

    start: int
    """In characters of the prompt's text."""
    end: int
    """The same as `start`: the template leaves the message out."""
    tokens: int


class Prompt(msgspec.Struct, frozen=True):
    """The exact text that the model sees."""

    mode: Mode
    pieces: tuple[Piece, ...]
    tokens: int
    """How many tokens it is."""
    context_length: int | None = None
    shares: tuple[Share, ...] = ()
    """One a message of the request; none where that can't be told."""
    cut: frozenset[int] = frozenset()
    """The messages, from 0, that don't fit into the window, and aren't part of the text."""

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)


class Count(msgspec.Struct, frozen=True):
    """How many tokens a request comes to. A number that isn't exact is near it."""

    last: int
    """The text of its last message alone."""
    whole: int
    """Its prompt, with what the chat template writes around messages."""
    context_length: int | None = None
    """Of the model, where whoever counts is told it."""
    last_is_exact: bool = True
    whole_is_exact: bool = True


Kind = Literal["base", "instruct", "reasoning"]

State = Literal["absent", "on_disk", "loading", "loaded", "served", "remote", "failed"]
"""absent: known, to be fetched first. failed: the last try ended in an error; it can be tried again."""


class Model(msgspec.Struct, frozen=True):
    """A model that could answer, as far as it is known without loading it."""

    address: Address
    title: str
    """Short enough for a list."""
    state: State
    kind: Kind | None = None
    parameters: int | None = None
    size_bytes: int | None = None
    """Of the weights on disk, or to be fetched."""
    context_length: int | None = None
    """In tokens, as trained."""
    path: str | None = None
    problem: str | None = None
    """Why it can't be used, or why the last try failed."""
    needed_bytes: int | None = None
    """Memory that answering takes: weights, KV cache for a conversation, overhead. An estimate."""
    fits: bool | None = None
    """Whether so much is free here: on the GPUs, on one if it fits one, or (without any) in the machine's memory.
    None: not known."""
    dtype: str | None = None
    """What the weights are stored as: `BF16`, `Q4_1`, `AWQ 4-bit`."""


KeySource = Literal["environment", "keyring", "file", "session"]
"""Where a key was found. file: encrypted with a passphrase. session: typed in, for this run only."""


class Source(msgspec.Struct, frozen=True):
    """Where models come from: this machine, or a provider. The picker heads each part of its list with one."""

    provider: str
    title: str
    base_url: str | None = None
    """None: this machine."""
    needs_key: bool = False
    key: KeySource | None = None
    """Where its key is from; None: none is known, or nobody has looked yet."""
    asked: bool = True
    """Whether its models have been asked for; asking takes a connection, and isn't done by itself."""
    problem: str | None = None
    """One line: why its models can't be listed, or what is missing."""
    serving: bool = False
    """Qiao itself runs servers of it: these are known without asking."""


class Backend(Protocol):
    """What answers. All methods block, may be called from any thread, and know no screen."""

    def generate(self, request: Request, stop: threading.Event) -> Iterator[Event]:
        """One answer as it comes. Raises nothing that a person could cause: that is a `Failed` event.

        Once `stop` is set, `Finished("cancelled")` comes within 200 ms in any state, and the computing behind it
        ends within a second. Closing the generator early stops it too.
        """
        ...

    def prompt(self, request: Request, stop: threading.Event) -> Prompt:
        """The exact text that `generate` would feed the model. Loads no weights where that can be helped.

        Raises:
            QiaoError: as a `Failed` event would say it.
        """
        ...

    def count(self, request: Request, stop: threading.Event) -> Count | None:
        """How many tokens the request comes to, by the model's own tokenizer; asked again and again while one types.

        Loads no weights; takes a second at most, the first time aside, and no longer for a longer request.

        Returns:
            None: nobody here can tell, now or ever.

        Raises:
            QiaoError: there is no such model.
        """
        ...

    def models(self) -> list[Model]:
        """What can answer here, from files and memory only: quick enough to be asked again and again."""
        ...

    def unheeded(self, request: Request) -> dict[str, str]:
        """The set parameters that this model's side would ignore or refuse, each with one line that says so.

        By names of `Sampling`, or of its `extra`. From what is known already: quick, and without a connection.
        """
        ...

    def unload(self, address: Address) -> None:
        """Gives back the memory that the model holds; nothing happens if it holds none."""
        ...

    def close(self) -> None:
        """Ends all that was started."""
        ...
