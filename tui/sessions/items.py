"""The messages of a conversation as they are to be shown, at a cost that doesn't grow with their number."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, overload

from ...workbench.answering import Answer
from ...workbench.asking import START_HASH, prompt_hashes
from ...workbench.conversation import Conversation, Message
from ...workbench.splicing import same_start
from ..text.wrap import Line
from ..transcript.blocks import Item
from .folding import Folds


class Hashes:
    """For each message, the hash of what stands before it, made when it is asked for: few have a take to compare.

    Args:
        known: the first of them.
    """

    def __init__(self, messages: Sequence[Message], variables: Mapping[str, str], known: Sequence[str]) -> None:
        self.messages, self.variables = messages, variables
        self._known = list(known)

    def __getitem__(self, index: int) -> str:
        at = len(self._known) - 1
        if index > at:
            self._known += prompt_hashes(self.messages[at:index], self.variables, self._known[at])[1:]
        return self._known[index]

    def upto(self, index: int) -> Sequence[str]:
        """Those known already, up to this one."""
        return self._known[: index + 1]


class HashChain:
    """The prompt hashes of a conversation as it changes: an edit leaves those above it as they were."""

    def __init__(self) -> None:
        self._last = Hashes((), {}, [START_HASH])

    def of(self, conversation: Conversation) -> Hashes:
        """The hashes for its messages."""
        messages, variables, last = conversation.messages, conversation.variables, self._last
        if last.variables != variables:
            self._last = Hashes(messages, variables, [START_HASH])
        elif last.messages is not messages:
            self._last = Hashes(messages, variables, last.upto(same_start(last.messages, messages)))
        return self._last


class Editing(NamedTuple):
    """What is being edited, if anything is."""

    uid: int | None
    lines: int
    """How many it takes."""
    size: Line = ()
    """How many tokens it has, in words."""


class MadeWhenAsked(Sequence[Item], ABC):
    """Items of which each is made when it is asked for, once: of ten thousand messages, a screen shows ten."""

    def __init__(self) -> None:
        self._made: dict[int, Item] = {}

    @abstractmethod
    def _make(self, at: int) -> Item:
        """The item of this number, from 0."""

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = range(len(self))[index]
        # Asked for again for each line that is painted.
        if at not in self._made:
            self._made[at] = self._make(at)
        return self._made[at]


class Items(MadeWhenAsked):
    """One for each message.

    Args:
        messages: with those that answers are coming for, though they aren't in the document yet.
        hashes: of the document's messages.
        coming: where those stand that are in `messages` alone.
        live: the answers that are coming, by uid.
        folds: what of the messages is out of sight.
        editing: what is being edited.
        marked: uids of the messages that are marked.
        left_out: uids of the messages that don't fit into the model's context, and aren't sent.
    """

    def __init__(
        self,
        messages: Sequence[Message],
        hashes: Hashes,
        coming: Sequence[int],
        live: Mapping[int, Answer],
        folds: Folds,
        editing: Editing,
        marked: Collection[int] = (),
        left_out: Collection[int] = (),
    ) -> None:
        super().__init__()
        self._messages = messages
        self._hashes = hashes
        self._coming = coming
        self._live = live
        self._folds = folds
        self._editing = editing
        self._marked = frozenset(marked)
        self._left_out = frozenset(left_out)
        self._made: dict[int, Item] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def _make(self, at: int) -> Item:
        message = self._messages[at]
        take = message.take
        in_document = at - sum(1 for i in self._coming if i < at)
        asked = None if take is None else take.prompt_hash
        stale = asked is not None and asked != self._hashes[in_document]
        editing = self._editing if message.uid == self._editing.uid else Editing(None, 0)
        live = self._live.get(message.uid)
        folded = self._folds.hides_text(message.uid) if live is None else message.uid in self._folds.unwatched
        return Item(
            message,
            live,
            stale,
            not self._folds.hides_thinking(message.uid),
            message.uid in self._marked,
            editing.lines,
            folded,
            message.uid in self._left_out,
            editing.size,
        )
