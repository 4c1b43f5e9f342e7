"""A conversation: an ordered list of messages, as a value.

Nothing here changes in place: an edit returns a new Conversation that shares every untouched message with the old
one, so that undo is a list of conversations, and a view can tell what changed by identity.
"""

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from .sampling import Sampling

Role = Literal["system", "user", "assistant", "tool"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant")
"""The roles that can be chosen; `tool` is reserved."""

Finish = Literal["stop", "length", "cancelled", "error", "content_filter", "tool_calls"]

_uids = itertools.count(1)


class TakeError(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a take broke off. A state of the take, never its text."""

    kind: str
    """A `qiao.workbench.seam.FailureKind`, or a newer program's."""
    message: str
    extra: dict[str, Any] = {}


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens, as the engine counted them. None: it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    """Part of prompt_tokens: not computed again."""
    thinking_tokens: int | None = None
    """Part of completion_tokens."""
    extra: dict[str, Any] = {}


class Timing(msgspec.Struct, frozen=True, omit_defaults=True):
    """Measured here, on a monotonic clock, from the moment the request was sent to a loaded model."""

    first_token_ms: float | None = None
    """To the first text of any kind, thinking included."""
    first_answer_ms: float | None = None
    """To the first text of the answer."""
    total_ms: float | None = None
    tokens_per_second: float | None = None
    """While decoding: (completion_tokens - 1) / (total - first token). None for a single token."""
    extra: dict[str, Any] = {}


class Take(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One answer that a model gave, with where it came from. Never edited, but for the person's own note and star."""

    text: str
    thinking: str | None = None
    model: str | None = None
    """The model's address."""
    created: datetime | None = None
    """UTC."""
    seed: int | None = None
    prompt_hash: str | None = None
    """`prompt_hash` of the filled-in messages that it answered."""
    prefix: int | None = None
    """So many characters at the start of `text` were given to the model to go on from; it wrote the rest."""
    left_out: int | None = None
    """So many of the oldest messages, system ones aside, weren't sent: they didn't fit (see `window`)."""
    finish: Finish | None = None
    note: str | None = None
    starred: bool = False
    """A person marked it, to find it again."""
    error: TakeError | None = None
    sampling: Sampling | None = None
    """As sent, with the effective defaults that are known."""
    usage: Usage | None = None
    timing: Timing | None = None
    extra: dict[str, Any] = {}

    @property
    def as_given(self) -> "Take":
        """Without what a person put on it: whether two takes are the same one is told by this."""
        return msgspec.structs.replace(self, note=None, starred=False)


class Message(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A role and its text; on an assistant message, the takes that models gave for it."""

    role: Role
    text: str = ""
    """Written or edited by hand. What is sent, unless a take is chosen."""
    muted: bool = False
    """Kept, but not sent."""
    runs_on: bool = False
    """In plain text it follows what stands before it at once: it was written on from there (see `plain_text`)."""
    note: str | None = None
    chosen: int | None = None
    """Counts takes from 1. None: `text` is what is sent."""
    takes: tuple[Take, ...] = msgspec.field(default=(), name="take")
    extra: dict[str, Any] = {}
    uid: int = msgspec.field(default_factory=lambda: next(_uids))
    """Tells messages apart while the program runs, edits and undo included; not saved."""

    @property
    def take(self) -> Take | None:
        """The chosen take, if one is."""
        return None if self.chosen is None else self.takes[self.chosen - 1]

    @property
    def said(self) -> str:
        """The text that counts: the chosen take's, else the one written by hand."""
        take = self.take
        return self.text if take is None else take.text

    @property
    def has_written(self) -> bool:
        """Whether a text by hand stands beside the takes, walked through as ‹✎›."""
        return bool(self.text) or not self.takes

    def with_text(self, text: str) -> "Message":
        """Edited by hand: takes stay as they are, and none is chosen."""
        return msgspec.structs.replace(self, text=text, chosen=None)

    def with_take(self, take: Take) -> "Message":
        """The take added and chosen."""
        takes = (*self.takes, take)
        return msgspec.structs.replace(self, takes=takes, chosen=len(takes))

    def with_role(self, role: Role) -> "Message":
        """In another role. Only an assistant message has takes: otherwise what it says becomes its own text."""
        if role == "assistant" or not self.takes:
            return msgspec.structs.replace(self, role=role)
        return msgspec.structs.replace(self, role=role, text=self.said, chosen=None, takes=())

    def walked(self, step: int) -> "Message":
        """The take `step` places further chosen, ends held; the hand-written text, if any, comes before the first."""
        first = 0 if self.has_written else 1
        chosen = min(max((self.chosen or 0) + step, first), len(self.takes))
        return msgspec.structs.replace(self, chosen=chosen or None)

    def without_chosen_take(self) -> "Message":
        """The chosen take deleted; the one before it, else the next, else the hand-written text is chosen."""
        if self.chosen is None:
            return self
        takes = self.takes[: self.chosen - 1] + self.takes[self.chosen :]
        chosen = max(self.chosen - 1, 1) if takes else None
        return msgspec.structs.replace(self, takes=takes, chosen=chosen)


class Conversation(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A document; one file."""

    title: str | None = None
    tags: tuple[str, ...] = ()
    """Words to find it by in the library."""
    note: str | None = None
    model: str | None = None
    """The address for the next answer; a take records its own."""
    window: Literal["drop_oldest"] | None = None
    """Where the messages don't fit into the model's context: the oldest aren't sent. None: none is, and it is said."""
    sampling: Sampling = Sampling()
    variables: dict[str, str] = {}
    messages: tuple[Message, ...] = msgspec.field(default=(), name="message")
    extra: dict[str, Any] = {}

    def index(self, uid: int) -> int | None:
        """Where the message with this uid stands, from 0; None when it is gone."""
        return next((i for i, message in enumerate(self.messages) if message.uid == uid), None)

    def with_messages(self, messages: Sequence[Message]) -> "Conversation":
        return msgspec.structs.replace(self, messages=tuple(messages))

    def replaced(self, index: int, message: Message) -> "Conversation":
        return self.with_messages((*self.messages[:index], message, *self.messages[index + 1 :]))

    def inserted(self, index: int, *messages: Message) -> "Conversation":
        return self.with_messages((*self.messages[:index], *messages, *self.messages[index:]))

    def removed(self, index: int) -> "Conversation":
        return self.with_messages((*self.messages[:index], *self.messages[index + 1 :]))

    def moved(self, index: int, step: int) -> "Conversation":
        """The message moved by `step` places, ends held."""
        to = min(max(index + step, 0), len(self.messages) - 1)
        return self.removed(index).inserted(to, self.messages[index])


def split_message(message: Message, at: int) -> tuple[Message, Message]:
    """Two messages of the same role, parted at character `at` of the text.

    A blank line at the seam goes, since `join_messages` puts one there: joined again, they are the text. Blanks stay.
    The first keeps the uid and the takes; as its text was edited, none is chosen.
    """
    text = message.said
    first, second = text[:at], text[at:]
    before, after = first.rstrip("\n"), second.lstrip("\n")
    if before and after:
        feeds = len(text) - len(before) - len(after)
        first, second = before + "\n" * max(feeds - 2, 0), after
    return message.with_text(first), Message(role=message.role, text=second, muted=message.muted)


def join_messages(first: Message, second: Message) -> Message:
    """One with the first's role and takes; a blank line between, unless a text is empty or the second runs on."""
    texts = [text for text in (first.said, second.said) if text]
    return first.with_text(("" if second.runs_on else "\n\n").join(texts))


def next_role(messages: Sequence[Message], index: int) -> Role:
    """The role that a message put in at `index` most likely has.

    User and assistant in turn; a system message above all others if there is none yet. The very first message of a
    conversation is the user's: most people begin with a question.
    """
    if index == 0:
        return "system" if messages and messages[0].role != "system" else "user"
    return "assistant" if messages[index - 1].role == "user" else "user"
