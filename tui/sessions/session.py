"""One open conversation: the document, what is selected in it, how it is shown, and every edit. Knows no widgets.

Every method that edits makes one undo step of the document, and leaves something sensible selected.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from ...workbench import several
from ...workbench.conversation import Conversation, Message, Role, join_messages, next_role, split_message
from ...workbench.document import Document
from ...workbench.seam import Prompt, Request
from ...workbench.splicing import same_ends
from ...workbench.variables import Names
from ...workbench.window import cut_messages, left_out
from ..text.wrap import Line
from ..transcript.blocks import Item
from .answering import Answering, behind
from .folding import Folds
from .items import Editing, HashChain, Items
from .page_items import WHOLE, Page, next_seen
from .running import Run


class _Added(NamedTuple):
    """A message that was put in to be written, and goes again if nothing is."""

    uid: int
    conversation: Conversation
    """Right after it was put in."""
    selected_before: int


class _Shown(NamedTuple):
    """What is shown: the document's messages, and those that answers are coming for."""

    document: Sequence[Message]
    runs: list[tuple[int, int | None, bool]]
    """Of each, which message it is for, which it follows, and whether it runs on from that."""
    messages: Sequence[Message]
    """All together."""
    coming: Sequence[int]
    """Where among them those stand that aren't in the document yet."""


class Session:
    """The document and the work on it.

    `selected` is a uid. A message that an answer is coming for counts, though it isn't in the document yet.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.runs: list[Run] = []
        self.answering = Answering(self)
        self.folds = Folds()
        self.marked: set[int] = set()
        """The uids of the messages that are marked: what is done next is done to all of them."""
        self.copy: Session | None = None
        """Holds what came too late for this one, which is read-only."""
        self._answers_aside: dict[int, Message] = {}
        """Answers that were given another role, with their takes, by uid."""
        self.editing: int | None = None
        """The uid of the message that is being edited; `WHOLE`: the text of all of them."""
        self.page: Page | None = None
        """Shows the conversation as one text, as a base model gets it; None: as messages."""
        self._added: _Added | None = None
        self.hashes = HashChain()
        self._names = Names()
        self._left_out: tuple[Conversation | None, frozenset[int]] = (None, frozenset())
        """What isn't sent of a conversation, by uid: looked for once a change."""
        self._index = 0
        self._last_shown = _Shown((), [], (), ())
        messages = document.conversation.messages
        self.selected = messages[-1].uid if messages else 0

    # Looking

    @property
    def conversation(self) -> Conversation:
        return self.document.conversation

    @property
    def messages(self) -> Sequence[Message]:
        """The document's messages, with those that answers are coming for."""
        return self._shown.messages

    @property
    def _shown(self) -> _Shown:
        """Asked for many times a key, and put together once a change: there may be ten thousand."""
        document = self.conversation.messages
        runs = [(run.target, run.after, run.answer.runs_on) for run in self.runs]
        if self._last_shown.document is not document or self._last_shown.runs != runs:
            messages, coming = document, list[int]()
            for target, after, runs_on in runs:
                if self.conversation.index(target) is None:
                    at = behind(messages, after)
                    answer = Message(role="assistant", uid=target, runs_on=runs_on)
                    messages = (*messages[:at], answer, *messages[at:])
                    coming = [*(place + (place >= at) for place in coming), at]
            self._last_shown = _Shown(document, runs, messages, coming)
        return self._last_shown

    def items(self, editing_lines: int = 0, size: Line = ()) -> Sequence[Item]:
        """The messages as they are to be shown, or the parts of the page.

        Args:
            editing_lines: how many lines what is being edited takes.
            size: how many tokens it has, in words.
        """
        conversation = self.conversation
        if self.page is not None and self.editing == WHOLE:
            return self.page.sheet(conversation.messages, editing_lines, size)
        live = {run.target: run.answer for run in self.runs}
        hashes = self.hashes.of(conversation)
        editing = Editing(self.editing, editing_lines, size)
        _, _, messages, coming = self._shown
        items = Items(messages, hashes, coming, live, self.folds, editing, self.marked, self.left_out)
        if self.page is None:
            return items
        return self.page.items(items, messages, conversation.messages, self.index, live)

    @property
    def left_out(self) -> frozenset[int]:
        """The uids of the messages that don't fit: by the last answer, or the prompt looked at since."""
        if self._left_out[0] is not self.conversation:
            self._left_out = self.conversation, left_out(self.conversation)
        return self._left_out[1]

    @property
    def variable_names(self) -> Sequence[str]:
        """The variables that the document's messages name, each once, in order."""
        return self._names.of(self.conversation.messages)

    def prompt_seen(self, messages: Sequence[Message], asked: Request, prompt: Prompt) -> None:
        """Notes what doesn't fit, if the prompt that was looked at is one of all messages as they are now.

        Args:
            messages: the document's, when it was asked for.
        """
        conversation = self.conversation
        sent = sum(not message.muted for message in messages)
        # An answer at the end may be the one that the prompt is for.
        whole = conversation.messages is messages and len(asked.messages) >= sent - 1
        if whole and asked.window and conversation.window is not None:
            self._left_out = conversation, cut_messages(conversation, prompt)

    def show_as_page(self, on: bool) -> None:
        """Whether the conversation is one text from now on, as a base model gets it."""
        if on and self.page is None:
            # Marks can't be seen there.
            self.page, self.marked = Page(), set()
        elif not on:
            self.page = None

    @property
    def shown_at(self) -> int:
        """The number of the item, of those last shown, that the selected message stands in."""
        if self.page is None:
            return self.index
        return 0 if self.editing == WHOLE else self.page.number_of(self.index)

    @property
    def index(self) -> int:
        """Where the selected message stands among `messages`, or stood if it is gone. -1: there are none."""
        messages = self.messages
        # Asked several times a key, and mostly where it was.
        if not (0 <= self._index < len(messages) and messages[self._index].uid == self.selected):
            last = len(messages) - 1
            stood = min(self._index, last) if self._index >= 0 else last
            self._index = next((i for i, m in enumerate(messages) if m.uid == self.selected), stood)
        return self._index

    @property
    def message(self) -> Message | None:
        """The selected message."""
        index = self.index
        return self.messages[index] if index >= 0 else None

    @property
    def in_document(self) -> int | None:
        """Where the selected message stands in the document; None if there is none, or it isn't in it yet."""
        message = self.message
        return None if message is None else self.conversation.index(message.uid)

    def run_of(self, uid: int) -> Run | None:
        """What is coming for this message."""
        return next((run for run in self.runs if run.target == uid), None)

    def upto(self, run: Run) -> int:
        """How many messages of the document stand before what a run answers."""
        return behind(self.conversation.messages, run.after)

    # Moving

    def step(self, step: int) -> None:
        """Selects the message `step` places further, ends held."""
        messages = self.messages
        if not messages:
            return
        at = min(max(self.index + step, 0), len(messages) - 1)
        if self.page is not None:
            at = next_seen(messages, at, 1 if step > 0 else -1, {run.target for run in self.runs}, self.index)
        self.selected = messages[at].uid

    # Editing

    def change(self, conversation: Conversation, label: str) -> None:
        """One undo step."""
        self.document.change(conversation, label)

    def add(self, offset: int, text: str = "", role: Role | None = None) -> None:
        """Puts a message in below (1) or above (0) the selected one, and selects it."""
        conversation = self.conversation
        here = self.in_document
        at = len(conversation.messages) if here is None else here + offset
        shown = self.messages
        # An answer that is coming counts: the message after it is the next question.
        turn = self.index + offset if shown else 0
        message = Message(role=role or next_role(shown, turn), text=text)
        self.change(conversation.inserted(at, message), "label.add")
        self._added = None if text else _Added(message.uid, self.conversation, self.selected)
        self.selected = message.uid

    @property
    def places(self) -> list[int]:
        """Where the messages stand that an edit is for: the marked ones, else the selected one; in the document."""
        messages = self.conversation.messages if self.marked else ()
        marked = [i for i, message in enumerate(messages) if message.uid in self.marked]
        here = self.in_document
        return marked or ([] if here is None else [here])

    def mark(self) -> None:
        """Marks the selected message, or takes its mark away; the next one is selected."""
        here = self.in_document
        if here is not None:
            self.marked ^= {self.conversation.messages[here].uid}
            self.step(1)

    def delete(self) -> None:
        """Deletes the marked messages; of one, the chosen take if it has several."""
        places = self.places
        if not places:
            return
        conversation = self.conversation
        message = conversation.messages[places[0]]
        if not self.marked and message.chosen is not None and len(message.takes) > 1:
            self.change(conversation.replaced(places[0], message.without_chosen_take()), "label.delete_take")
            return
        self.change(several.removed(conversation, places), "label.delete")
        self.marked.clear()
        left = self.conversation.messages
        self.selected = left[min(places[0], len(left) - 1)].uid if left else 0

    def write(self, uid: int, text: str, beginning: str | None = None) -> bool:
        """The draft of an editor becomes the message's text.

        Args:
            uid: the message's.
            text: the draft.
            beginning: what the editor was opened on; None: what the message says now.

        Returns:
            False: another program's change to the message came in meanwhile. It stands, and the draft, if it has
            something of its own, is a message below.
        """
        here = self.conversation.index(uid)
        added, self._added = self._added, None
        if here is None:
            # The message went away while it was edited (another program's change, say): what was typed stays.
            if text:
                self.add(1, text)
        elif added is not None and uid == added.uid and not text:
            # Put in, nothing written: as if it had never been, if nothing else has happened since.
            if self.conversation is added.conversation:
                self.document.undo()
            else:
                self.change(self.conversation.removed(here), "label.delete")
            self.selected = added.selected_before
        elif text != (said := self.conversation.messages[here].said) and text != beginning:
            message = self.conversation.messages[here]
            if added is not None and uid == added.uid and self.conversation is added.conversation:
                # Put in and written: one step, as it was one thing to do.
                self.document.undo()
                self.change(added.conversation.replaced(here, message.with_text(text)), "label.add")
                return True
            if beginning is not None and said != beginning:
                draft = Message(role=message.role, text=text)
                self.change(self.conversation.inserted(here + 1, draft), "label.edit")
                self.selected = draft.uid
                return False
            self.change(self.conversation.replaced(here, message.with_text(text)), "label.edit")
        return True

    def split(self, uid: int, text: str, at: int) -> None:
        """Two messages where one was, parted at character `at` of the draft; the second is selected."""
        here = self.conversation.index(uid)
        if here is None:
            self.write(uid, text)
            return
        first, second = split_message(self.conversation.messages[here].with_text(text), at)
        self.change(self.conversation.replaced(here, first).inserted(here + 1, second), "label.split")
        self.selected = second.uid
        self._added = None

    def join(self) -> None:
        """The selected message and the one below become one."""
        here = self.in_document
        messages = self.conversation.messages
        if here is None or here + 1 >= len(messages):
            return
        joined = join_messages(messages[here], messages[here + 1])
        self.change(self.conversation.removed(here + 1).replaced(here, joined), "label.join")

    def role(self) -> None:
        """The next role. Takes stand on assistant messages only; they come back with that role, if nothing was written
        meanwhile."""
        before = self.conversation
        after = several.with_next_role(before, self.places)
        for at in self.places:
            message = before.messages[at]
            if message.takes:
                self._answers_aside[message.uid] = message
            kept = self._answers_aside.get(message.uid)
            if kept is not None and after.messages[at].role == "assistant" and message.said == kept.said:
                answer = msgspec.structs.replace(kept, muted=message.muted, note=message.note)
                after = after.replaced(at, answer)
        self.change(after, "label.role")

    def move(self, step: int) -> None:
        """Up (-1) or down (1), if there is room."""
        self.change(several.moved(self.conversation, self.places, step), "label.move")

    def mute(self) -> None:
        self.change(several.muted(self.conversation, self.places), "label.mute")

    def put_in(self, messages: Sequence[Message]) -> None:
        """Copies of these messages below the selected one, in one step; the last of them is selected."""
        here = self.in_document
        at = len(self.conversation.messages) if here is None else here + 1
        copied = several.copies(messages)
        self.change(self.conversation.inserted(at, *copied), "label.add")
        self.selected = copied[-1].uid

    def walk(self, step: int) -> None:
        """Another take of the selected message is chosen."""
        here = self.in_document
        if here is not None:
            message = self.conversation.messages[here]
            walked = message.walked(step)
            if walked.chosen != message.chosen:
                self.change(self.conversation.replaced(here, walked), "label.walk")

    def undo(self) -> str | None:
        """Takes the last step back, and returns what it was; None: there is none."""
        return self._stepped(self.document.undo)

    def redo(self) -> str | None:
        """Does again what was undone last, and returns what it was; None: there is none."""
        return self._stepped(self.document.redo)

    def _stepped(self, step: Callable[[], str | None]) -> str | None:
        """Selects what comes back by it; where the selected message goes by it, the one above."""
        before = self.conversation.messages
        label = step()
        after = self.conversation.messages
        start, end = same_ends(before, after)
        known = {message.uid for message in before[start : len(before) - end]}
        if came := [message.uid for message in after[start : len(after) - end] if message.uid not in known]:
            self.selected = came[-1]
        elif (message := self.message) is None or message.uid != self.selected:
            self.selected = after[max(start - 1, 0)].uid if after else 0
        return label
