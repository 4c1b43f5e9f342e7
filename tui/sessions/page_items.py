"""The conversation as one text, in the parts that the screen lays out."""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, overload

from ...workbench.answering import Answer
from ...workbench.conversation import Message
from ...workbench.plain_text import gaps
from ...workbench.seam import Turn
from ...workbench.words import say
from ..text.wrap import Line
from ..transcript.blocks import Item
from ..transcript.page_lines import Part

WHOLE = 0
"""What stands for the whole text where a message's uid is asked for; no message has this one."""

Live = Mapping[int, Answer]
"""The answers that are coming, by the uids of their messages."""


class _Cut(NamedTuple):
    """Where the text is parted: where a message begins a line, so that each part is some whole lines."""

    begins: Sequence[int]
    """The numbers of the messages that parts begin with."""
    flush: Collection[int]
    """Those of them that stand at once below the part before, without a blank line of ours."""
    muted: int
    """So many messages are no part of the text."""


class PageItems(Sequence[Item]):
    """Each part is made when it is asked for.

    Args:
        items: the messages.
        cut: where to part them.
        selected: the number of the selected message.
        coming: the number of a message that an answer is coming for.
    """

    def __init__(self, items: Sequence[Item], cut: _Cut, selected: int, coming: int | None) -> None:
        self._items, self._cut, self._selected, self._coming = items, cut, selected, coming
        self._made: dict[int, Item] = {}

    def __len__(self) -> int:
        return len(self._cut.begins)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        # Asked for again for each line that is painted.
        if number not in self._made:
            self._made[number] = self._part(number)
        return self._made[number]

    def _part(self, number: int) -> Item:
        begins = self._cut.begins
        is_last = number == len(begins) - 1
        places = range(begins[number], len(self._items) if is_last else begins[number + 1])
        messages = tuple(item.message for item in map(self._items.__getitem__, places) if not item.message.muted)
        selected = self._items[self._selected]
        coming = None if self._coming is None else self._items[self._coming]
        part = Part(
            messages,
            selected.message.uid if self._selected in places else None,
            None if coming is None else coming.message.uid,
            heading(self._cut.muted) if number == 0 else None,
            (coming or selected).message if is_last else None,
            is_last and selected.stale,
            is_last or begins[number + 1] not in self._cut.flush,
        )
        live = coming.live if coming is not None and (is_last or self._coming in places) else None
        return Item(self._items[places[0]].message, live, page=part)


class Page:
    """How one session's conversation is shown as one text; remembers where it is parted."""

    def __init__(self) -> None:
        self._known: tuple[Sequence[Message], object] | None = None
        """What it was parted for."""
        self._cut = _Cut((), (), 0)
        self._sheet = Message(role="user", uid=WHOLE)

    def items(
        self,
        items: Sequence[Item],
        messages: Sequence[Message],
        document: Sequence[Message],
        selected: int,
        live: Live,
    ) -> Sequence[Item]:
        """The parts of the text.

        Args:
            items: the messages, with those that answers are coming for.
            messages: the same.
            document: those of the document alone.
            selected: the number of the selected one among `items`.
            live: the answers that are coming.
        """
        # Of a text that grows, only how it begins and ends tells where to part.
        ends = [(uid, answer.runs_on, answer.text) for uid, answer in live.items()]
        grown = [(uid, runs_on, text[:1], text.endswith("\n")) for uid, runs_on, text in ends]
        if self._known is None or self._known[0] is not document or self._known[1] != grown:
            self._known, self._cut = (document, grown), _parted(items)
        coming = next((i for i in reversed(range(len(messages))) if messages[i].uid in live), None) if live else None
        return PageItems(items, self._cut, selected, coming)

    def sheet(self, messages: Sequence[Message], lines: int, size: Line) -> Sequence[Item]:
        """The whole text while it is edited, which takes so many lines and has so many tokens, in words."""
        words = heading(sum(message.muted for message in messages), editing=True)
        return (Item(self._sheet, editing=lines, size=size, page=Part((), heading=words)),)

    def number_of(self, index: int) -> int:
        """The part that a message stands in, as of the last `items`."""
        return max(bisect_right(self._cut.begins, index) - 1, 0)


def _parted(items: Sequence[Item]) -> _Cut:
    sent = [(i, item) for i, item in enumerate(items) if not item.message.muted]
    turns = [Turn(m.role, m.said if live is None else live.text, m.runs_on) for _, (m, live, *_) in sent]
    begins, flush = [0][: len(items)], set[int]()
    above = ""
    for (i, _), gap, turn in zip(sent, gaps(turns), turns, strict=True):
        if gap or (turn.text and above.endswith("\n")):
            begins.append(i)
            if not gap:
                flush.add(i)
        above = turn.text or above
    return _Cut(begins, flush, len(items) - len(sent))


def next_seen(messages: Sequence[Message], at: int, step: int, live: Collection[int], else_: int) -> int:
    """The number of the first message from `at` on, in this direction, that has a part in the text; or else this."""
    way = range(at, len(messages) if step > 0 else -1, step)
    seen = (i for i in way if not messages[i].muted and (messages[i].said or messages[i].uid in live))
    return next(seen, else_)


def heading(muted: int, *, editing: bool = False) -> str:
    """What stands above the text, with how many messages are no part of it."""
    words = say("page.editing") if editing else say("page.heading")
    return words + (f" · {say('page.muted', n=muted)}" if muted else "")
