"""One open conversation: the document, what is selected in it, and what is coming for it. Knows no widgets.

Every method that edits makes one undo step of the document, and leaves something sensible selected.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from ..workbench import several
from ..workbench.address import Address
from ..workbench.answering import Answer
from ..workbench.asking import Ask, ask
from ..workbench.conversation import Conversation, Message, Role, Take, join_messages, next_role, split_message
from ..workbench.document import Document
from ..workbench.errors import QiaoError
from ..workbench.placing import Place, answer_from
from ..workbench.seam import Token
from .items import HashChain, Items
from .running import Run
from .transcript.blocks import Item


class _Added(NamedTuple):
    """A message that was put in to be written, and goes again if nothing is."""

    uid: int
    conversation: Conversation
    """Right after it was put in."""
    selected_before: int


class Session:
    """The document and the work on it.

    `selected` is a uid. A message that an answer is coming for counts, though it isn't in the document yet.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.runs: list[Run] = []
        self.unfolded: set[int] = set()
        self.marked: set[int] = set()
        """The uids of the messages that are marked: what is done next is done to all of them."""
        self.replaying: list[int] | None = None
        """The uids of the answers that are still to be given anew, in order; None when that isn't going on."""
        self._replayed_by = Address("?", "?")
        self.chances: dict[tuple[object, ...], tuple[Token, ...]] = {}
        """How likely the tokens of answers were, as far as they came while this program runs; see `take_key`."""
        self.editing: int | None = None
        """The uid of the message that is being edited."""
        self._added: _Added | None = None
        self._hashes = HashChain()
        self._index = 0
        self._shown: tuple[object, list[tuple[int, int | None]], list[Message]] = (None, [], [])
        """The document's messages, what is coming, and both together."""
        messages = document.conversation.messages
        self.selected = messages[-1].uid if messages else 0

    # Looking

    @property
    def conversation(self) -> Conversation:
        return self.document.conversation

    @property
    def messages(self) -> Sequence[Message]:
        """The document's messages, with those that answers are coming for."""
        conversation = self.conversation
        if not self.runs:
            return conversation.messages
        coming = [(run.target, run.after) for run in self.runs]
        if self._shown[0] is not conversation.messages or self._shown[1] != coming:
            # Asked many times a key; there may be ten thousand.
            messages = list(conversation.messages)
            for target, after in coming:
                if all(message.uid != target for message in messages):
                    messages.insert(_behind(messages, after), Message(role="assistant", uid=target))
            self._shown = conversation.messages, coming, messages
        return self._shown[2]

    def items(self, editing_lines: int = 0) -> Sequence[Item]:
        """The messages as they are to be shown.

        Args:
            editing_lines: how many lines the message that is being edited takes.
        """
        conversation = self.conversation
        live = {run.target: run.answer for run in self.runs}
        coming = [uid for uid in live if conversation.index(uid) is None]
        hashes = self._hashes.of(conversation)
        return Items(self.messages, hashes, coming, live, self.unfolded, (self.editing, editing_lines), self.marked)

    @property
    def index(self) -> int:
        """Where the selected message stands among `messages`; the last one if it is gone. -1: there are none."""
        messages = self.messages
        # Asked several times a key, and mostly where it was.
        if not (0 <= self._index < len(messages) and messages[self._index].uid == self.selected):
            self._index = next((i for i, m in enumerate(messages) if m.uid == self.selected), len(messages) - 1)
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
        return _behind(self.conversation.messages, run.after)

    # Moving

    def step(self, step: int) -> None:
        """Selects the message `step` places further, ends held."""
        messages = self.messages
        if messages:
            self.selected = messages[min(max(self.index + step, 0), len(messages) - 1)].uid

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
        marked = [i for i, message in enumerate(self.conversation.messages) if message.uid in self.marked]
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
                self.undo()
            else:
                self.change(self.conversation.removed(here), "label.delete")
            self.selected = added.selected_before
        elif text != (said := self.conversation.messages[here].said) and text != beginning:
            message = self.conversation.messages[here]
            if added is not None and uid == added.uid and self.conversation is added.conversation:
                # Put in and written: one step, as it was one thing to do.
                self.undo()
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
        """The next role. Takes stand on assistant messages only: of them, the chosen one's text is kept."""
        self.change(several.with_next_role(self.conversation, self.places), "label.role")

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
        return self.document.undo()

    def redo(self) -> str | None:
        return self.document.redo()

    # Running

    def ask(self, address: Address, *, go_on: bool = False, takes: int | None = None) -> Ask:
        """What pressing `r` on the selected message asks; nothing is changed.

        Args:
            address: the model.
            go_on: the answer goes on from the selected assistant message's text.
            takes: how many, if not as the sampling says.

        Raises:
            QiaoError: there is nothing to answer, or a variable has no value.
        """
        return self._asked(address, go_on, takes, None)[0]

    def _asked(self, address: Address, go_on: bool, takes: int | None, prefix: str | None) -> tuple[Ask, Place]:
        here = self.in_document
        if here is None:
            raise QiaoError("asking.nothing_to_answer")
        conversation = self.conversation
        place = answer_from(conversation, here)
        going_on = place.seen if go_on else None
        if prefix is not None:
            going_on = Message(role="assistant").with_take(Take(text=prefix))
        if (go_on or prefix is not None) and not (going_on and going_on.said):
            raise QiaoError("screen.nothing_to_continue")
        sampling = conversation.sampling
        if takes is not None:
            sampling = msgspec.structs.replace(sampling, n=takes)
        return ask(conversation, place.upto, address, sampling, going_on=going_on), place

    def new_run(
        self, address: Address, *, go_on: bool = False, takes: int | None = None, prefix: str | None = None
    ) -> Run:
        """What pressing `r` on the selected message starts; the answer's message is selected.

        Args:
            address: the model.
            go_on: the answer goes on from the selected assistant message's text.
            takes: how many, if not as the sampling says.
            prefix: the answer goes on from this text instead, as it is.

        Raises:
            QiaoError: as `ask` does; or an answer is already coming there, or the file is read-only, so that an answer
                couldn't be kept.
        """
        if self.document.read_only:
            raise QiaoError("screen.is_read_only")
        if any(run.target == self.selected for run in self.runs):
            raise QiaoError("screen.already_running")
        wanted, place = self._asked(address, go_on, takes, prefix)
        target = place.seen.uid if place.seen is not None else Message(role="assistant").uid
        after = self.conversation.messages[place.upto - 1].uid if place.upto else None
        if any(run.target == target or (place.seen is None and run.after == after) for run in self.runs):
            raise QiaoError("screen.already_running")
        run = Run(wanted, target, after)
        self.runs.append(run)
        self.selected = target
        return run

    def begin_replay(self, address: Address) -> int:
        """All answers of the conversation are to be given anew by this model, from the first on; one at `replay_next`.

        Returns:
            How many there are.

        Raises:
            QiaoError: there is none, or something is coming already.
        """
        if self.runs:
            raise QiaoError("screen.already_running")
        answers = [m.uid for m in self.conversation.messages if m.role == "assistant" and not m.muted]
        if not answers:
            raise QiaoError("screen.nothing_to_replay")
        self.replaying = answers
        self._replayed_by = address
        return len(answers)

    def replay_next(self) -> Run | None:
        """The run of the next answer that is to be given anew; None: that was the last.

        Raises:
            QiaoError: as `new_run` does.
        """
        while self.replaying:
            uid = self.replaying.pop(0)
            if self.conversation.index(uid) is not None:
                self.selected = uid
                return self.new_run(self._replayed_by, takes=1)
        self.replaying = None
        return None

    def take_in(self, run: Run, answer: Answer) -> None:
        """Puts a finished answer into the document, wherever its message stands now."""
        if answer is run.last and run in self.runs:
            self.runs.remove(run)
        if not answer.has_content and answer.finish == "cancelled":
            if self.conversation.index(run.target) is None and self.selected == run.target and run.after:
                self.selected = run.after
            return
        take = answer.take()
        if answer.chances:
            self.chances[take_key(take)] = tuple(answer.chances)
        conversation = self.conversation
        here = conversation.index(run.target)
        if here is not None and conversation.messages[here].role == "assistant":
            message = conversation.messages[here].with_take(take)
            self.change(conversation.replaced(here, message), "label.answer")
            return
        if here is not None:
            # The message has become someone else's turn meanwhile: this answer, and what follows it, stands below it.
            run.target = Message(role="assistant").uid
        message = Message(role="assistant", takes=(take,), chosen=1, uid=run.target)
        at = _behind(conversation.messages, run.after) if here is None else here + 1
        self.change(conversation.inserted(at, message), "label.answer")

    def stop(self) -> bool:
        """Stops all that is coming. Returns whether there was anything."""
        self.replaying = None
        for run in self.runs:
            run.stop.set()
        return bool(self.runs)


def _behind(messages: Sequence[Message], uid: int | None) -> int:
    """Where what belongs below this message is put in; at the end if it is gone. None: above all others."""
    if uid is None:
        return 0
    return next((i + 1 for i, message in enumerate(messages) if message.uid == uid), len(messages))


def take_key(take: Take) -> tuple[object, ...]:
    """Tells a take from others, also after undo and redo."""
    return (take.model, take.created, take.seed, take.text)
