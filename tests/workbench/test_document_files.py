"""Documents whose files come and go under other programs' hands."""

from pathlib import Path

from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps
from qiao.workbench.document import Document
from qiao.workbench.rescuing import save_beside

TALK = Conversation(messages=(Message(role="user", text="x"),))


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
    path.write_bytes(dumps(TALK))
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


def test_saving_under_its_own_name_makes_a_file_that_is_gone_again(tmp_path: Path) -> None:
    path = tmp_path / "talk.toml"
    path.write_bytes(dumps(TALK))
    document = Document.open(path)
    path.unlink()
    document.save_as(path)
    assert Document.open(path).conversation.messages[0].said == "x"


def test_naming_an_untitled_one_keeps_the_comments_of_its_file(tmp_path: Path, home: Path) -> None:
    document = Document.untitled(TALK)
    document.want_file()
    document.save()
    former = document.path
    former.write_bytes(b"# mine\n" + former.read_bytes())
    document.reload()
    document.save_as(tmp_path / "talk.toml")
    assert not former.exists()
    assert (tmp_path / "talk.toml.bak").read_bytes().startswith(b"# mine\n")
    assert document.notices[-1] == "The comments of talk.toml are in talk.toml.bak."


def test_a_name_as_long_as_can_be_is_no_reason_not_to_be_rescued(tmp_path: Path) -> None:
    document = Document.open(tmp_path / f"{'推' * 83}.toml", TALK)
    kept = save_beside(tmp_path / "rescued", document)
    assert Document.open(kept).conversation.messages[0].said == "x"
