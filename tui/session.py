"""One open conversation: the document, what is selected in it, and what is coming for it. Knows no widgets.

Every method that edits makes one undo step of the document, and leaves something sensible selected.
"""

from collections.abc import Sequence

import msgspec

from ..workbench.address import Address
from ..workbench.answering import Answer
from ..workbench.asking import ask, prompt_hashes
from ..workbench.conversation import ROLES, Conversation, Message, join_messages, next_role, split_message
from ..workbench.document import Document
from ..workbench.errors import QiaoError
from ..workbench.placing import answer_from
from .running import Run
from .transcript.blocks import Item


class Session:
    """The document and the work on it.

    `selected` is a uid. A message that an answer is coming for counts, though it isn't in the document yet.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.runs: list[Run] = []
        self.unfolded: set[int] = set()
        self.editing: int | None = None
        """The uid of the message that is being edited."""
        self.added: int | None = None
        """The uid of a message that was put in to be edited, and goes again if nothing is written."""
        messages = document.conversation.messages
        self.selected = messages[-1].uid if messages else 0

    # Looking

    @property
    def conversation(self) -> Conversation:
        return self.document.conversation

    @property
    def messages(self) -> Sequence[Message]:
        """The document's messages, with those that answers are coming for."""
        messages = list(self.conversation.messages)
        for run in self.runs:
            if all(message.uid != run.target for message in messages):
                at = next((i + 1 for i, message in enumerate(messages) if message.uid == run.after), 0)
                messages.insert(at, Message(role="assistant", uid=run.target))
        return messages

    def items(self, editing_lines: int = 0) -> list[Item]:
        """The messages as they are to be shown."""
        conversation = self.conversation
        hashes = prompt_hashes(conversation.messages, conversation.variables)
        before = {message.uid: hashes[i] for i, message in enumerate(conversation.messages)}
        live = {run.target: run.answer for run in self.runs}
        items: list[Item] = []
        for message in self.messages:
            take = message.take
            stale = take is not None and take.prompt_hash is not None and take.prompt_hash != before[message.uid]
            editing = editing_lines if message.uid == self.editing else 0
            unfolded = message.uid in self.unfolded
            items.append(Item(message, live.get(message.uid), stale, unfolded, False, editing))
        return items

    @property
    def index(self) -> int:
        """Where the selected message stands among `messages`; the last one if it is gone. -1: there are none."""
        messages = self.messages
        return next((i for i, m in enumerate(messages) if m.uid == self.selected), len(messages) - 1)

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

    def add(self, offset: int, text: str = "", role: str | None = None) -> None:
        """Puts a message in below (1) or above (0) the selected one, and selects it."""
        conversation = self.conversation
        here = self.in_document
        at = len(conversation.messages) if here is None else here + offset
        message = Message(role=role or next_role(conversation.messages, at), text=text)  # pyright: ignore[reportArgumentType]
        self.change(conversation.inserted(at, message), "label.add")
        self.selected = message.uid
        self.added = None if text else message.uid

    def delete(self) -> None:
        """Deletes the chosen take of a message that has several, else the message."""
        here = self.in_document
        if here is None:
            return
        conversation = self.conversation
        message = conversation.messages[here]
        if message.chosen is not None and len(message.takes) > 1:
            self.change(conversation.replaced(here, message.without_chosen_take()), "label.delete_take")
            return
        self.change(conversation.removed(here), "label.delete")
        left = self.conversation.messages
        self.selected = left[min(here, len(left) - 1)].uid if left else 0

    def write(self, uid: int, text: str) -> None:
        """The draft of an editor becomes the message's text."""
        here = self.conversation.index(uid)
        if here is None:
            # The message went away while it was edited (undone by a reload, say): what was typed stays.
            self.add(1, text)
        elif uid == self.added and not text:
            # Put in, nothing written: as if it had never been.
            self.document.undo()
            messages = self.conversation.messages
            if self.conversation.index(uid) is None and messages:
                self.selected = messages[min(max(here - 1, 0), len(messages) - 1)].uid
        elif text != self.conversation.messages[here].said:
            message = self.conversation.messages[here]
            self.change(self.conversation.replaced(here, message.with_text(text)), "label.edit")
        self.added = None

    def split(self, uid: int, text: str, at: int) -> None:
        """Two messages where one was, parted at the caret; the second is selected."""
        here = self.conversation.index(uid)
        if here is None:
            return
        first, second = split_message(self.conversation.messages[here].with_text(text), at)
        self.change(self.conversation.replaced(here, first).inserted(here + 1, second), "label.split")
        self.selected = second.uid
        self.added = None

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
        here = self.in_document
        if here is None:
            return
        message = self.conversation.messages[here]
        role = ROLES[(ROLES.index(message.role) + 1) % len(ROLES)] if message.role in ROLES else "user"
        changed = msgspec.structs.replace(message, role=role)
        if message.takes:
            changed = msgspec.structs.replace(changed.with_text(message.said), takes=())
        self.change(self.conversation.replaced(here, changed), "label.role")

    def move(self, step: int) -> None:
        here = self.in_document
        if here is not None and 0 <= here + step < len(self.conversation.messages):
            self.change(self.conversation.moved(here, step), "label.move")

    def mute(self) -> None:
        here = self.in_document
        if here is not None:
            message = self.conversation.messages[here]
            muted = msgspec.structs.replace(message, muted=not message.muted)
            self.change(self.conversation.replaced(here, muted), "label.mute")

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

    def new_run(self, address: Address, *, go_on: bool = False, takes: int | None = None) -> Run:
        """What pressing `r` on the selected message starts; the answer's message is selected.

        Args:
            address: the model.
            go_on: the answer goes on from the selected assistant message's text.
            takes: how many, if not as the sampling says.

        Raises:
            QiaoError: there is nothing to answer, a variable has no value, or an answer is already coming there.
        """
        here = self.in_document
        if here is None:
            raise QiaoError("asking.nothing_to_answer")
        conversation = self.conversation
        place = answer_from(conversation, here)
        prefix = place.seen.said if go_on and place.seen is not None else None
        if go_on and not prefix:
            raise QiaoError("screen.nothing_to_continue")
        sampling = conversation.sampling
        if takes is not None:
            sampling = msgspec.structs.replace(sampling, n=takes)
        wanted = ask(conversation, place.upto, address, sampling, prefix=prefix)
        target = place.seen.uid if place.seen is not None else Message(role="assistant").uid
        if self.run_of(target) is not None:
            raise QiaoError("screen.already_running")
        after = conversation.messages[place.upto - 1].uid if place.upto else None
        if place.seen is None and any(run.after == after for run in self.runs):
            raise QiaoError("screen.already_running")
        run = Run(wanted, target, after)
        self.runs.append(run)
        self.selected = target
        return run

    def take_in(self, run: Run, answer: Answer) -> None:
        """Puts a finished answer into the document, wherever its message stands now."""
        if run.over and run in self.runs:
            self.runs.remove(run)
        if not answer.has_content and answer.finish == "cancelled":
            if self.conversation.index(run.target) is None and self.selected == run.target and run.after:
                self.selected = run.after
            return
        take = answer.take()
        conversation = self.conversation
        here = conversation.index(run.target)
        if here is not None and conversation.messages[here].role == "assistant":
            message = conversation.messages[here].with_take(take)
            self.change(conversation.replaced(here, message), "label.answer")
            return
        after = None if run.after is None else conversation.index(run.after)
        at = (
            len(conversation.messages)
            if after is None and run.after is not None
            else (after if after is not None else -1) + 1
        )
        message = Message(role="assistant", takes=(take,), chosen=1, uid=run.target)
        self.change(conversation.inserted(at, message), "label.answer")

    def stop(self) -> bool:
        """Stops all that is coming. Returns whether there was anything."""
        for run in self.runs:
            run.stop.set()
        return bool(self.runs)
