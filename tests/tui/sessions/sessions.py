"""Open conversations without a screen, for the tests of the work on them."""

from pathlib import Path

from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend
from qiao.tui.sessions.running import Run
from qiao.tui.sessions.session import Session
from qiao.workbench.address import Address
from qiao.workbench.answering import Answer
from qiao.workbench.config import Config
from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.document import Document

ECHO = Address("scripted", "echo")

TALK = (("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello."), ("user", "Why?"))


def new_session(folder: Path, *messages: tuple[str, str], **fields: object) -> Session:
    conversation = Conversation(messages=tuple(Message(role=r, text=t) for r, t in messages), **fields)  # pyright: ignore[reportArgumentType]
    return Session(Document(folder / "talk.toml", conversation))


def texts(session: Session) -> list[str]:
    return [message.said for message in session.messages]


def select(session: Session, number: int) -> None:
    session.selected = session.messages[number].uid


def answer_all(session: Session, run: Run, scripted: ScriptedBackend) -> None:
    """Works the run off in this thread, and takes in what came."""
    ended: list[Answer] = []
    run.work(Backends(Config(), extra={"scripted": scripted}), lambda _run, answer: ended.append(answer))
    for answer in ended:
        session.answering.take_in(run, answer)


def with_takes(session: Session, number: int, *takes: str) -> None:
    """Gives a message these takes, the last one chosen, outside of what undo knows."""
    message = session.messages[number]
    for text in takes:
        message = message.with_take(Take(text=text))
    session.document.change(session.conversation.replaced(number, message), "label.answer")
