"""What reading or writing another format gives, and what it had to leave out."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ..conversation import Conversation, Message
from ..variables import message_runs
from ..words import say
from .records import Record


class LeftOut(Counter[str]):
    """What one side has and the other has no place for: entries of the word catalogue `exchange.left_…`, counted."""

    def lines(self) -> list[str]:
        """One line each, in the person's language."""
        return [say(f"exchange.left_{what}", n=count) for what, count in self.items() if count]


class Imported(NamedTuple):
    """The conversations of a file."""

    conversations: tuple[Conversation, ...]
    losses: tuple[LeftOut, ...]
    """What each of them had to leave out."""

    @classmethod
    def each(cls, records: Iterable[Record], read: Callable[[Record, LeftOut], Conversation]) -> "Imported":
        """A conversation a record; `read` adds to what is left out of it."""
        made: list[tuple[Conversation, LeftOut]] = []
        for record in records:
            left_out = LeftOut()
            made.append((read(record, left_out), left_out))
        return cls(tuple(one for one, _ in made), tuple(lost for _, lost in made))

    @property
    def left_out(self) -> LeftOut:
        """Of all of them together."""
        return self.left_out_of(self.conversations)

    def left_out_of(self, chosen: Iterable[Conversation]) -> LeftOut:
        """Of these of them, which are told by identity, together."""
        wanted = {id(each) for each in chosen}
        left_out = LeftOut()
        for conversation, lost in zip(self.conversations, self.losses, strict=True):
            if id(conversation) in wanted:
                left_out.update(lost)
        return left_out


class Exported(NamedTuple):
    """A file's text."""

    text: str
    left_out: LeftOut


class SentMessage(NamedTuple):
    """A message as it would be sent."""

    role: str
    text: str


def sent_messages(conversation: Conversation, left_out: LeftOut, *, fill: bool = True) -> list[SentMessage]:
    """The messages that would be sent, variables filled in; counts what that leaves out.

    Args:
        conversation: of ours.
        left_out: added to.
        fill: whether variables get their values; one without a value stays as it is written.
    """
    sent: list[SentMessage] = []
    for message in conversation.messages:
        left_out["takes"] += max(len(message.takes) - (message.chosen is not None), 0)
        left_out["written"] += bool(message.chosen is not None and message.text)
        left_out["thinking"] += bool(message.take and message.take.thinking)
        left_out["stars"] += sum(take.starred for take in message.takes)
        left_out["notes"] += bool(message.note) + sum(bool(take.note) for take in message.takes)
        if message.muted:
            left_out["muted"] += 1
            continue
        sent.append(SentMessage(message.role, _text(message, conversation.variables, left_out, fill)))
    left_out["notes"] += bool(conversation.note)
    left_out["tags"] += len(conversation.tags)
    return sent


def _text(message: Message, values: Mapping[str, str], left_out: LeftOut, fill: bool) -> str:
    if not fill:
        return message.said
    stretches = list(message_runs(message, values))
    left_out["unset_variables"] += sum(not run.known for run in stretches)
    return "".join(run.text for run in stretches)
