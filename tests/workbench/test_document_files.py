"""Documents whose files come and go under other programs' hands."""

from pathlib import Path

from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps
from qiao.workbench.document import Document


def test_a_draft_that_isnt_written_yet_leaves_anothers_of_the_same_second_alone(home: Path) -> None:
    first = Document.untitled(Conversation(messages=(Message(role="user", text="first"),)))
    first.change(first.conversation.with_messages([Message(role="user", text="first!")]), "label.edit")
    second = Document.untitled()
    second.path = first.path
    first.save()
    assert Document.untitled().path != first.path
    assert not second.changed_on_disk()
    second.change(Conversation(messages=(Message(role="user", text="second"),)), "label.add")
    second.save()
    assert second.path != first.path
    assert Document.open(first.path).is_untitled


def test_a_file_that_is_gone_is_known_and_written_again_if_asked(tmp_path: Path) -> None:
    path = tmp_path / "talk.toml"
    path.write_bytes(dumps(Conversation(messages=(Message(role="user", text="x"),))))
    document = Document.open(path)
    assert not document.is_gone()
    path.unlink()
    assert document.is_gone()
    document.save()
    assert not path.exists()
    document.save(again=True)
    assert path.exists()
    assert not document.is_gone()
    assert not Document.open(tmp_path / "new.toml").is_gone()
