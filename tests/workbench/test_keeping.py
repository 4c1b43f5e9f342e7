"""New takes put into a file that others may be writing to."""

import threading
from pathlib import Path

import pytest

from qiao.workbench import keeping
from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.conversation_file import dumps, loads
from qiao.workbench.errors import QiaoError
from qiao.workbench.keeping import keep
from qiao.workbench.placing import next_answer
from qiao.workbench.saving import ChangedOnDisk, OnDisk
from qiao.workbench.saving import read as read_file
from qiao.workbench.saving import write as write_file

TALK = Conversation(messages=(Message(role="user", text="Hello?"),))
TAKE = Take(text="Hi.", model="local:starter")


def texts(path: Path) -> list[str]:
    return [message.said for message in loads(path.read_bytes(), path.name).conversation.messages]


def write(path: Path, conversation: Conversation) -> None:
    path.write_bytes(dumps(conversation))


def test_the_takes_go_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "talk.toml"
    write(path, TALK)
    assert keep(path, TALK, next_answer(TALK), [TAKE]) == (path, False, None)
    assert texts(path) == ["Hello?", "Hi."]


def test_what_another_program_added_stays(tmp_path: Path) -> None:
    path = tmp_path / "talk.toml"
    theirs = Conversation(title="Theirs", messages=(*TALK.messages, Message(role="user", text="And?", note="mine")))
    write(path, theirs)
    assert not keep(path, TALK, next_answer(TALK), [TAKE]).beside
    assert texts(path) == ["Hello?", "Hi.", "And?"]
    kept = loads(path.read_bytes(), "").conversation
    assert (kept.title, kept.messages[2].note) == ("Theirs", "mine")


@pytest.mark.parametrize("content", [dumps(Conversation(messages=(Message(role="user", text="Bye."),))), b"{", None])
def test_where_it_no_longer_fits_it_goes_beside(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "talk.toml"
    (tmp_path / "talk.answer-1.toml").write_text("someone else's")
    if content is not None:
        path.write_bytes(content)
    kept = keep(path, TALK, next_answer(TALK), [TAKE])
    assert kept == (tmp_path / "talk.answer-2.toml", True, None)
    assert texts(kept.path) == ["Hello?", "Hi."]
    assert (path.read_bytes() if path.exists() else None) == content
    assert (tmp_path / "talk.answer-1.toml").read_text() == "someone else's"


def test_a_file_without_a_suffix_gets_its_neighbour_too(tmp_path: Path) -> None:
    assert keep(tmp_path / "talk", TALK, next_answer(TALK), [TAKE]).path.name == "talk.answer-1.toml"


def test_a_newer_programs_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "talk.toml"
    newer = dumps(TALK).replace(b"qiao = 1", b"qiao = 2")
    path.write_bytes(newer)
    assert keep(path, TALK, next_answer(TALK), [TAKE]).beside
    assert path.read_bytes() == newer


def test_comments_are_kept_in_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "talk{0}.toml"
    path.write_bytes(b"# mine\n" + dumps(TALK))
    kept = keep(path, TALK, next_answer(TALK), [TAKE])
    assert kept.comments is not None
    assert kept.comments.read_bytes().startswith(b"# mine\n")
    assert texts(path) == ["Hello?", "Hi."]


def test_a_write_between_reading_and_writing_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "talk.toml"
    write(path, TALK)
    reads = 0

    def read_then_another_writes(file: Path) -> OnDisk:
        nonlocal reads
        on_disk = read_file(file)
        reads += 1
        if reads == 1:
            write(path, TALK.inserted(1, Message(role="user", text="And?")))
        return on_disk

    monkeypatch.setattr(keeping, "read", read_then_another_writes)
    assert not keep(path, TALK, next_answer(TALK), [TAKE]).beside
    assert reads == 2
    assert texts(path) == ["Hello?", "Hi.", "And?"]


def test_several_at_once_all_arrive(tmp_path: Path) -> None:
    path = tmp_path / "talk.toml"
    write(path, TALK)
    place = next_answer(TALK)
    answers = [Take(text=f"answer {i}") for i in range(8)]
    threads = [threading.Thread(target=keep, args=(path, TALK, place, [answer])) for answer in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    message = loads(path.read_bytes(), "").conversation.messages[1]
    assert sorted(take.text for take in message.takes) == [f"answer {i}" for i in range(8)]
    assert list(tmp_path.glob("*.answer-*")) == []


def test_a_file_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "talk.toml"
    with pytest.raises(QiaoError, match=r"talk\.answer-1\.toml"):
        keep(path, TALK, next_answer(TALK), [TAKE])


def test_a_file_that_is_written_to_without_end_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.toml"
    write(path, TALK)

    def always_too_late(file: Path, data: bytes, expected: str | None) -> str:
        if file == path:
            raise ChangedOnDisk("document.changed_on_disk", file=str(file))
        return write_file(file, data, expected)

    monkeypatch.setattr(keeping, "write", always_too_late)
    assert keep(path, TALK, next_answer(TALK), [TAKE]).beside
