"""A conversation that goes on in a file beside its own: that is only shown, or another program's."""

from pathlib import Path

import pytest

from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps
from qiao.workbench.document import Document


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "talk.toml"


def test_what_is_only_shown_is_saved_as_a_copy_that_can_be_changed(path: Path) -> None:
    source = b'qiao = 2\n[[message]]\nrole = "user"\ntext = "one"\nshade = "blue"\n'
    path.write_bytes(source)
    document = Document.open(path)
    copy = path.with_name("other.toml")
    document.save_as(copy)
    assert not document.read_only
    assert document.path == copy
    changed = document.conversation.inserted(1, Message(role="user", text="two"))
    document.change(changed, "label.add")
    document.save()
    again = Document.open(copy)
    assert not again.read_only
    assert [message.text for message in again.conversation.messages] == ["one", "two"]
    assert again.conversation.messages[0].extra == {"shade": "blue"}
    assert path.read_bytes() == source


def test_both_are_kept_and_no_earlier_file_is_overwritten(path: Path) -> None:
    document = Document(path, Conversation())
    for number, text in enumerate(("one", "two"), 1):
        document.change(Conversation(messages=(Message(role="user", text=text),)), "label.edit")
        path.write_bytes(dumps(Conversation(messages=(Message(role="user", text=f"theirs {text}"),))))
        mine = document.keep_both()
        assert mine.name == f"talk.mine-{number}.toml"
        assert Document.open(mine).conversation.messages[0].text == text
        assert document.conversation.messages[0].text == f"theirs {text}"
        assert not document.unsaved
    document.undo()
    assert document.conversation.messages[0].text == "two"
