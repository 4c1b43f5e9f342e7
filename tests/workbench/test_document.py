import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.conversation_file import dumps, loads
from qiao.workbench.document import Document, ReadOnly
from qiao.workbench.errors import Unreadable
from qiao.workbench.saving import ChangedOnDisk, Unsaved

from ..patience import PATIENCE_S

LABEL = "document.step_reload"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("QIAO_HOME", str(home))
    return home


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work" / "talk.toml"


def user(text: str) -> Message:
    return Message(role="user", text=text)


def typed(document: Document, text: str) -> None:
    """Appends a user message."""
    conversation = document.conversation
    document.change(conversation.inserted(len(conversation.messages), user(text)), LABEL)


def edited(document: Document, index: int, text: str) -> None:
    conversation = document.conversation
    document.change(conversation.replaced(index, conversation.messages[index].with_text(text)), LABEL)


def said(what: Document | Path) -> list[str]:
    conversation = what.conversation if isinstance(what, Document) else loads(what.read_bytes(), "x").conversation
    return [message.said for message in conversation.messages]


def another_program(path: Path, *texts: str) -> None:
    """Writes a conversation with these messages, without asking."""
    path.write_bytes(dumps(Conversation(messages=tuple(user(text) for text in texts))))


ANSWER = """
import sys
from pathlib import Path
from qiao.workbench.conversation import Message, Take
from qiao.workbench.document import Document
document = Document.open(Path(sys.argv[1]))
conversation = document.conversation
last = conversation.messages[-1]
take = Take(text=sys.argv[2], model="local:starter")
if last.role == "assistant":
    after = conversation.replaced(len(conversation.messages) - 1, last.with_take(take))
else:
    after = conversation.inserted(len(conversation.messages), Message(role="assistant").with_take(take))
document.change(after, "document.step_reload")
document.save()
"""


def answer_from_another_process(path: Path, text: str) -> None:
    """What `qiao run FILE --save` does to the file."""
    subprocess.run([sys.executable, "-c", ANSWER, path, text], check=True, timeout=PATIENCE_S)


def test_a_file_that_is_not_there_is_made_by_the_first_change(path: Path) -> None:
    document = Document.open(path, Conversation(model="local:starter"))
    assert document.conversation.model == "local:starter"
    assert not document.unsaved
    document.save()
    assert not path.exists()
    typed(document, "hello")
    assert document.unsaved
    document.save()
    assert not document.unsaved
    assert said(Document.open(path)) == ["hello"]
    assert Document.open(path).conversation.model == "local:starter"


def test_what_cant_be_opened(path: Path) -> None:
    with pytest.raises(Unreadable, match="is a folder"):
        Document.open(path.parent)
    with pytest.raises(Unreadable, match=r"folder .* does not exist"):
        Document.open(path.parent / "nowhere" / "talk.toml")
    path.write_bytes(b"qiao = 1\n[[message]]\nrole = 'robot'\n")
    with pytest.raises(Unreadable, match=r"talk\.toml: message 1, role: found \"robot\""):
        Document.open(path)


def test_opening_never_rewrites(path: Path) -> None:
    source = b"\xef\xbb\xbftitle = 'x' # so\nqiao=1\n"
    path.write_bytes(source)
    document = Document.open(path)
    document.save()
    assert not document.unsaved
    assert path.read_bytes() == source


def test_undo_and_redo_name_what_they_did(path: Path) -> None:
    document = Document.open(path)
    assert document.undo() is None
    for label, text in (("a.one", "1"), ("a.two", "2"), ("a.three", "3")):
        document.change(document.conversation.inserted(0, user(text)), label)
    assert said(document) == ["3", "2", "1"]
    assert [document.undo(), document.undo()] == ["a.three", "a.two"]
    assert said(document) == ["1"]
    assert document.redo() == "a.two"
    assert said(document) == ["2", "1"]
    document.change(document.conversation.inserted(0, user("4")), "a.four")
    assert document.redo() is None
    assert [document.undo() for _ in range(4)] == ["a.four", "a.two", "a.one", None]
    assert not document.unsaved
    assert (document.can_undo, document.can_redo) == (False, True)


def test_a_change_to_the_same_is_no_step(path: Path) -> None:
    document = Document.open(path)
    typed(document, "hello")
    before = document.conversation
    document.change(before.replaced(0, before.messages[0].with_text("hello")), LABEL)
    assert document.conversation is before
    document.undo()
    assert document.undo() is None


def test_whoever_subscribes_hears_of_each_change(path: Path) -> None:
    document = Document.open(path)
    heard: list[list[str]] = []

    def listen(changed: Document) -> None:
        heard.append(said(changed))

    document.subscribe(listen)
    typed(document, "a")
    document.change(document.conversation, LABEL)
    document.undo()
    document.undo()
    document.redo()
    document.save()
    assert heard == [["a"], [], ["a"]]
    document.unsubscribe(listen)
    typed(document, "b")
    assert len(heard) == 3


def test_a_change_that_no_file_may_hold_is_mended(path: Path) -> None:
    document = Document.open(path)
    wrong = Message(role="user", takes=(Take(text="a"), Take(text="b")), chosen=1)
    document.change(Conversation(messages=(wrong,)), LABEL)
    document.save()
    assert said(path) == ["a"]
    assert document.conversation.messages[0].takes == ()


def test_an_untitled_one_lies_in_the_data_folder_until_it_is_named(own_home: Path, path: Path) -> None:
    document = Document.untitled()
    assert document.is_untitled
    assert document.title == "untitled"
    document.save()
    assert not (own_home / "data" / "untitled").exists()
    typed(document, "hello")
    document.save()
    (lying,) = (own_home / "data" / "untitled").iterdir()
    assert said(lying) == ["hello"]
    typed(document, "more")
    document.save_as(path)
    assert (document.is_untitled, document.title, document.unsaved) == (False, "talk", False)
    assert not lying.exists()
    assert said(path) == ["hello", "more"]
    typed(document, "still more")
    document.save()
    assert said(path) == ["hello", "more", "still more"]


def test_two_untitled_ones_of_one_second_do_not_meet(own_home: Path) -> None:
    documents = [Document.untitled() for _ in range(3)]
    for i, document in enumerate(documents):
        document.path = documents[0].path
        typed(document, str(i))
        document.save()
    files = list((own_home / "data" / "untitled").iterdir())
    assert sorted(said(file)[0] for file in files) == ["0", "1", "2"]
    assert sorted(document.path for document in documents) == sorted(files)


def test_a_title_is_what_it_is_called(path: Path) -> None:
    document = Document.open(path)
    assert document.title == "talk"
    document.change(Conversation(title="Late parcel"), LABEL)
    assert document.title == "Late parcel"


def test_saving_under_another_name_overwrites_only_when_told(path: Path) -> None:
    document = Document.open(path)
    typed(document, "hello")
    document.save()
    other = path.with_name("other.toml")
    other.write_bytes(b"precious")
    with pytest.raises(ChangedOnDisk, match="exists already"):
        document.save_as(other)
    assert other.read_bytes() == b"precious"
    assert document.path == path
    document.save_as(other, overwrite=True)
    assert said(other) == ["hello"]
    assert path.exists()
    with pytest.raises(Unsaved, match=r"folder .* does not exist"):
        document.save_as(path / "below.toml")
    typed(document, "more")
    document.save_as(other)
    assert said(other) == ["hello", "more"]


def test_what_another_program_wrote_is_not_overwritten(path: Path) -> None:
    document = Document.open(path)
    typed(document, "mine")
    document.save()
    assert not document.changed_on_disk()
    another_program(path, "theirs")
    assert document.changed_on_disk()
    typed(document, "mine too")
    with pytest.raises(ChangedOnDisk, match="changed by another program"):
        document.save()
    assert said(path) == ["theirs"]
    assert document.unsaved


def test_a_file_made_meanwhile_is_not_overwritten(path: Path) -> None:
    document = Document.open(path)
    typed(document, "mine")
    another_program(path, "theirs")
    assert document.changed_on_disk()
    with pytest.raises(ChangedOnDisk):
        document.save()
    assert document.merge()
    assert said(document) == ["theirs", "mine"]


def test_touching_a_file_is_no_change(path: Path) -> None:
    document = Document.open(path)
    typed(document, "mine")
    document.save()
    os.utime(path, (1, 1))
    assert not document.changed_on_disk()
    typed(document, "more")
    document.save()


def test_a_file_that_is_gone_is_made_again(path: Path) -> None:
    document = Document.open(path)
    typed(document, "mine")
    document.save()
    path.unlink()
    assert not document.changed_on_disk()
    typed(document, "more")
    document.save()
    assert said(path) == ["mine", "more"]


def test_reloading_is_one_step_that_can_be_undone(path: Path) -> None:
    document = Document.open(path)
    typed(document, "mine")
    document.save()
    edited(document, 0, "mine, edited")
    uid = document.conversation.messages[0].uid
    another_program(path, "theirs", "more")
    document.reload()
    assert said(document) == ["theirs", "more"]
    assert document.conversation.messages[0].uid == uid
    assert not document.unsaved
    assert document.undo() == "document.step_reload"
    assert said(document) == ["mine, edited"]
    assert document.unsaved
    document.save()
    assert said(path) == ["mine, edited"]


def test_reloading_the_same_is_no_step(path: Path) -> None:
    document = Document.open(path)
    typed(document, "mine")
    document.save()
    heard: list[Document] = []
    document.subscribe(heard.append)
    document.reload()
    assert heard == []
    assert not document.unsaved
    document.undo()
    document.reload()
    assert said(document) == ["mine"]


def test_reloading_a_broken_file_costs_nothing(path: Path) -> None:
    document = Document.open(path)
    typed(document, "mine")
    document.save()
    path.write_bytes(b"broken")
    with pytest.raises(Unreadable):
        document.reload()
    with pytest.raises(Unreadable):
        document.merge()
    assert said(document) == ["mine"]
    assert document.changed_on_disk()


def test_keeping_mine_keeps_theirs_beside_it(path: Path) -> None:
    document = Document.open(path)
    typed(document, "mine")
    for i in (1, 2):
        another_program(path, f"theirs {i}")
        edited(document, 0, f"mine {i}")
        kept = document.keep_mine()
        assert kept == path.with_name(f"talk.theirs-{i}.toml")
        assert kept is not None
        assert said(kept) == [f"theirs {i}"]
        assert said(path) == [f"mine {i}"]
        assert not document.unsaved
    path.unlink()
    edited(document, 0, "mine 3")
    assert document.keep_mine() is None
    assert said(path) == ["mine 3"]


def test_an_answer_saved_by_the_command_joins_unsaved_edits(path: Path) -> None:
    document = Document.open(path)
    typed(document, "one")
    document.save()
    edited(document, 0, "one, edited")
    answer_from_another_process(path, "an answer")
    with pytest.raises(ChangedOnDisk):
        document.save()
    assert document.merge()
    assert said(document) == ["one, edited", "an answer"]
    document.save()
    assert said(path) == ["one, edited", "an answer"]

    # Now a further take of that answer, while the screen added one as well.
    answer = document.conversation.messages[1]
    document.change(document.conversation.replaced(1, answer.with_take(Take(text="mine"))), LABEL)
    answer_from_another_process(path, "theirs")
    assert document.merge()
    document.save()
    stored = Document.open(path).conversation.messages[1]
    assert [take.text for take in stored.takes] == ["an answer", "mine", "theirs"]
    assert stored.said == "mine"
    assert document.undo() == "document.step_merge"
    assert document.redo() == "document.step_merge"
    assert not document.unsaved


def test_merging_with_nothing_unsaved_takes_theirs(path: Path) -> None:
    document = Document.open(path)
    typed(document, "one")
    document.save()
    answer_from_another_process(path, "an answer")
    assert document.merge()
    assert not document.unsaved
    assert said(document) == ["one", "an answer"]
    assert not document.changed_on_disk()


def test_a_merge_in_doubt_changes_nothing(path: Path) -> None:
    document = Document.open(path)
    typed(document, "one")
    document.save()
    edited(document, 0, "mine")
    another_program(path, "theirs")
    before = document.conversation
    assert not document.merge()
    assert document.conversation is before
    with pytest.raises(ChangedOnDisk):
        document.save()


def test_a_newer_file_is_only_shown(path: Path) -> None:
    source = b'qiao = 2\ntitle = "new"\n'
    path.write_bytes(source)
    document = Document.open(path)
    assert document.read_only
    assert any("newer Qiao" in line for line in document.notices)
    with pytest.raises(ReadOnly):
        typed(document, "x")
    with pytest.raises(ReadOnly):
        document.save_as(path, overwrite=True)
    document.save()
    assert path.read_bytes() == source


def test_a_file_that_became_newer_can_no_longer_be_changed(path: Path) -> None:
    document = Document.open(path)
    typed(document, "one")
    document.save()
    path.write_bytes(b'qiao = 2\ntitle = "new"\n')
    assert not document.merge()
    document.reload()
    assert document.read_only
    assert document.undo() is None
    assert not document.can_undo


def test_comments_are_kept_beside_the_first_save(path: Path) -> None:
    source = b"# mine\nqiao = 1\n"
    path.write_bytes(source)
    path.with_name("talk.toml.bak").write_bytes(b"an older one")
    document = Document.open(path)
    assert any("comments" in line for line in document.notices)
    document.notices.clear()
    typed(document, "one")
    document.save()
    kept = path.with_name("talk.toml.bak-2")
    assert kept.read_bytes() == source
    assert document.notices == [f"The comments of talk.toml are in {kept.name}."]
    typed(document, "two")
    document.save()
    assert sorted(file.name for file in path.parent.iterdir()) == ["talk.toml", "talk.toml.bak", "talk.toml.bak-2"]
    assert path.with_name("talk.toml.bak").read_bytes() == b"an older one"


def test_saving_in_a_thread_loses_no_change_made_meanwhile(path: Path) -> None:
    document = Document.open(path)
    done = threading.Event()

    def keep_saving() -> None:
        while not done.is_set():
            document.save()
        document.save()

    saver = threading.Thread(target=keep_saving)
    saver.start()
    try:
        for i in range(200):
            typed(document, str(i))
    finally:
        done.set()
        saver.join(PATIENCE_S)
    assert not document.unsaved
    assert said(path) == [str(i) for i in range(200)]


def test_a_failed_save_stays_unsaved(path: Path) -> None:
    document = Document.open(path)
    typed(document, "mine")
    path.parent.rename(path.parent.with_name("moved"))
    with pytest.raises(Unsaved):
        document.save()
    assert document.unsaved
    path.parent.with_name("moved").rename(path.parent)
    document.save()
    assert said(path) == ["mine"]


def test_a_link_to_nothing_yet_is_followed(path: Path) -> None:
    path.symlink_to("target.toml")
    document = Document.open(path)
    typed(document, "mine")
    document.save()
    assert path.is_symlink()
    assert said(path.with_name("target.toml")) == ["mine"]
