"""What is asked for a conversation, what is coming for it, and what came."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from ...workbench.address import Address
from ...workbench.answering import Answer
from ...workbench.asking import Ask, ask
from ...workbench.conversation import Message, Take
from ...workbench.errors import QiaoError
from ...workbench.placing import Place, answer_from, taking, written_from
from ...workbench.seam import Token
from .running import Run

if TYPE_CHECKING:
    from .session import Session


class Answering:
    """Starts runs for what is selected in a session, and puts what comes into its document."""

    def __init__(self, session: "Session") -> None:
        self.session = session
        self.replaying: list[int] | None = None
        """The uids of the answers that are still to be given anew, in order; None when that isn't going on."""
        self._replayed_by = Address("?", "?")
        self.chances: dict[tuple[object, ...], tuple[Token, ...]] = {}
        """How likely the tokens of answers were, as far as they came while this program runs; see `take_key`."""

    def ask(self, address: Address, *, go_on: bool = False, takes: int | None = None) -> Ask:
        """What pressing `r` on the selected message asks; nothing is changed.

        Args:
            address: the model.
            go_on: the answer goes on from the selected assistant message's text; of a page, from its end.
            takes: how many, if not as the sampling says.

        Raises:
            QiaoError: there is nothing to answer, or a variable has no value.
        """
        return self._asked(address, go_on, takes, None)[0]

    def _asked(self, address: Address, go_on: bool, takes: int | None, prefix: str | None) -> tuple[Ask, Place]:
        session = self.session
        conversation = session.conversation
        place = self._place(go_on)
        going_on = place.seen if go_on and session.page is None else None
        if prefix is not None:
            runs_on = place.seen is not None and place.seen.runs_on
            going_on = Message(role="assistant", runs_on=runs_on).with_take(Take(text=prefix))
        if ((go_on and session.page is None) or prefix is not None) and not (going_on and going_on.said):
            raise QiaoError("screen.nothing_to_continue")
        sampling = conversation.sampling
        if takes is not None:
            sampling = msgspec.structs.replace(sampling, n=takes)
        asked = ask(conversation, place.upto, address, sampling, going_on=going_on, prompt_hash=place.prompt_hash)
        return asked, place

    def _place(self, go_on: bool) -> Place:
        """What is answered: on a page, going on is from the end of the whole text."""
        session = self.session
        here = session.in_document
        hashes = session.hashes.of(session.conversation)
        if session.page is not None:
            return written_from(session.conversation, None if go_on else here, hashes.__getitem__)
        if here is None:
            raise QiaoError("asking.nothing_to_answer")
        return answer_from(session.conversation, here, hashes.__getitem__)

    def new_run(
        self, address: Address, *, go_on: bool = False, takes: int | None = None, prefix: str | None = None
    ) -> Run:
        """What pressing `r` on the selected message starts; the answer's message is selected.

        Args:
            address: the model.
            go_on: as for `ask`.
            takes: how many, if not as the sampling says.
            prefix: the answer goes on from this text instead, as it is.

        Raises:
            QiaoError: as `ask` does; or an answer is already coming there, or the file is read-only, so that an answer
                couldn't be kept.
        """
        session = self.session
        if session.document.read_only:
            raise QiaoError("screen.is_read_only")
        if any(run.target == session.selected or session.page is not None for run in session.runs):
            raise QiaoError("screen.already_running")
        wanted, place = self._asked(address, go_on, takes, prefix)
        target = place.seen.uid if place.seen is not None else Message(role="assistant").uid
        after = session.conversation.messages[place.upto - 1].uid if place.upto else None
        if any(run.target == target or (place.seen is None and run.after == after) for run in session.runs):
            raise QiaoError("screen.already_running")
        run = Run(wanted, target, after)
        session.runs.append(run)
        session.selected = target
        session.folds = session.folds.with_text(target, folded=False)
        return run

    def to_replay(self) -> list[int]:
        """The uids of the answers that a replay gives anew.

        What is written by hand stays, where a model gave others: an example shows what answers are to be like.

        Raises:
            QiaoError: there is none, or something is coming already.
        """
        session = self.session
        if session.runs:
            raise QiaoError("screen.already_running")
        messages = [m for m in session.conversation.messages if m.role == "assistant" and not m.muted]
        answers = [m.uid for m in messages if (m.takes if session.page is None else m.take is not None)]
        if not answers and session.page is None:
            # Of another program, say, which keeps no takes. On a page, what is written by hand is no answer.
            answers = [m.uid for m in messages]
        if not answers:
            raise QiaoError("screen.nothing_to_replay")
        return answers

    def begin_replay(self, address: Address) -> int:
        """All answers of the conversation are to be given anew by this model, from the first on; one at `replay_next`.

        Returns:
            How many there are.

        Raises:
            QiaoError: as `to_replay` does.
        """
        self.replaying = self.to_replay()
        self._replayed_by = address
        return len(self.replaying)

    def replay_next(self) -> Run | None:
        """The run of the next answer that is to be given anew; None: that was the last.

        Raises:
            QiaoError: as `new_run` does.
        """
        while self.replaying:
            uid = self.replaying.pop(0)
            if self.session.conversation.index(uid) is not None:
                self.session.selected = uid
                return self.new_run(self._replayed_by, takes=1)
        self.replaying = None
        return None

    def take_in(self, run: Run, answer: Answer) -> None:
        """Puts a finished answer into the document, wherever its message stands now."""
        session = self.session
        if answer is run.last and run in session.runs:
            session.runs.remove(run)
        if not answer.has_content and answer.finish == "cancelled":
            if session.conversation.index(run.target) is None and session.selected == run.target and run.after:
                session.selected = run.after
            return
        take = answer.take()
        if answer.chances:
            self.chances[take_key(take)] = tuple(answer.chances)
        conversation = session.conversation
        here = conversation.index(run.target)
        if here is not None and conversation.messages[here].role == "assistant":
            message = taking(conversation.messages[here], take, runs_on=answer.runs_on)
            session.change(conversation.replaced(here, message), "label.answer")
            return
        if here is not None:
            # The message has become someone else's turn meanwhile: this answer, and what follows it, stands below it.
            run.target = Message(role="assistant").uid
        message = Message(role="assistant", takes=(take,), chosen=1, runs_on=answer.runs_on, uid=run.target)
        at = behind(conversation.messages, run.after) if here is None else here + 1
        session.change(conversation.inserted(at, message), "label.answer")

    def stop(self) -> bool:
        """Stops all that is coming. Returns whether there was anything."""
        self.replaying = None
        for run in self.session.runs:
            run.stop.set()
        return bool(self.session.runs)


def behind(messages: Sequence[Message], uid: int | None) -> int:
    """Where what belongs below this message is put in; at the end if it is gone. None: above all others."""
    if uid is None:
        return 0
    return next((i + 1 for i, message in enumerate(messages) if message.uid == uid), len(messages))


def take_key(take: Take) -> tuple[object, ...]:
    """Tells a take from others, also after undo and redo."""
    return (take.model, take.created, take.seed, take.text)
