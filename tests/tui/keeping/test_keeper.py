"""Documents and their files are kept in step: saved soon, watched, merged, asked about once."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path

import pytest

from qiao.tui.keeping import keeper as keeping
from qiao.tui.keeping.keeper import Keeper
from qiao.workbench import document as documents
from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps, loads
from qiao.workbench.document import Document
from qiao.workbench.rescuing import rescue_folder
from qiao.workbench.saving import OnDisk, read

from ...patience import PATIENCE_S

SAVE_AFTER = keeping.SAVE_AFTER


def in_loop(test: Callable[..., Coroutine[object, object, None]]) -> Callable[..., None]:
    """Runs an asynchronous test to its end."""

    @wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


class Watched:
    """Documents with their keeper, and what it said."""

    def __init__(self, *documents: Document) -> None:
        self.documents = list(documents)
        self.conflicts: list[Document] = []
        self.notices: list[str] = []
        self.changes = 0
        self.keeper = Keeper(
            lambda: self.documents,
            self.conflicts.append,
            lambda _document, key: self.notices.append(key),
            self._changed,
        )

    def _changed(self) -> None:
        self.changes += 1

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        watch = asyncio.create_task(self.keeper.watch())
        try:
            yield
        finally:
            watch.cancel()
        assert watch.cancelled() or not watch.done(), watch.exception()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "SAVE_AFTER", 0.04)
    monkeypatch.setattr(keeping, "RETRY_AFTER", 0.1)


async def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "waited too long"
        await asyncio.sleep(0.01)


async def rounds(watched: Watched, count: int = 3) -> None:
    """Waits until the keeper has looked at its documents a few times more."""
    seen = 0
    documents = watched.documents

    def counted() -> list[Document]:
        nonlocal seen
        seen += 1
        return documents

    watched.keeper._documents = counted
    await until(lambda: seen >= count)


def written(path: Path, *texts: str) -> Document:
    path.write_bytes(dumps(talk(*texts)))
    return Document.open(path)


def talk(*texts: str) -> Conversation:
    return Conversation(messages=tuple(Message(role="user", text=text) for text in texts))


def on_disk(path: Path) -> list[str]:
    return [message.text for message in loads(path.read_bytes(), str(path)).conversation.messages]


def edit(document: Document, index: int, text: str) -> None:
    message = document.conversation.messages[index]
    document.change(document.conversation.replaced(index, message.with_text(text)), "label.edit")


def theirs(path: Path, *texts: str) -> None:
    """What another program makes of the file."""
    path.write_bytes(dumps(talk(*texts)))


@in_loop
async def test_an_edit_is_in_the_file_within_a_second(tmp_path: Path) -> None:
    document = written(tmp_path / "talk.toml", "one")
    watched = Watched(document)
    async with watched.watching():
        await rounds(watched, 1)
        edit(document, 0, "two")
        await until(lambda: on_disk(document.path) == ["two"])
        await until(lambda: not document.unsaved and watched.changes)
    assert SAVE_AFTER <= 0.5, "so that, saving included, it is a second at most"
    assert watched.keeper.problem(document) is None


@in_loop
async def test_an_untouched_file_is_never_written(tmp_path: Path) -> None:
    path = tmp_path / "talk.toml"
    source = b'# mine\nqiao = 1\n[[message]]\nrole = "user"\ntext = "one"\n'
    path.write_bytes(source)
    watched = Watched(Document.open(path))
    async with watched.watching():
        await rounds(watched)
    assert path.read_bytes() == source
    assert sorted(tmp_path.glob("talk*")) == [path]


@in_loop
async def test_what_another_program_wrote_is_shown_while_nothing_is_unsaved(tmp_path: Path) -> None:
    document = written(tmp_path / "talk.toml", "one")
    watched = Watched(document)
    async with watched.watching():
        theirs(document.path, "one", "theirs")
        await until(lambda: len(document.conversation.messages) == 2)
        await until(lambda: watched.notices)
    assert watched.notices == ["screen.reloaded"]
    assert not watched.conflicts
    document.undo()
    assert len(document.conversation.messages) == 1, "and can be undone"


@in_loop
async def test_changes_in_different_places_are_merged_and_saved(tmp_path: Path) -> None:
    document = written(tmp_path / "talk.toml", "one", "two")
    watched = Watched(document)
    theirs(document.path, "one", "two", "theirs")
    edit(document, 0, "mine")
    async with watched.watching():
        await until(lambda: on_disk(document.path) == ["mine", "two", "theirs"])
        await until(lambda: not document.unsaved)
    assert watched.notices == ["screen.merged"]
    assert not watched.conflicts


@in_loop
async def test_saving_at_once_merges_and_saves_at_once(tmp_path: Path) -> None:
    document = written(tmp_path / "talk.toml", "one", "two")
    watched = Watched(document)
    theirs(document.path, "one", "two", "theirs")
    edit(document, 0, "mine")
    assert await watched.keeper.save(document)
    assert on_disk(document.path) == ["mine", "two", "theirs"]


@in_loop
async def test_a_conflict_is_asked_about_once(tmp_path: Path) -> None:
    document = written(tmp_path / "talk.toml", "one")
    watched = Watched(document)
    theirs(document.path, "theirs")
    edit(document, 0, "mine")
    async with watched.watching():
        await until(lambda: watched.conflicts)
        edit(document, 0, "mine again")
        await rounds(watched)
        assert watched.conflicts == [document]
        assert "changed by another program" in (watched.keeper.problem(document) or "")
        assert on_disk(document.path) == ["theirs"], "nothing is overwritten"
        assert document.conversation.messages[0].text == "mine again"
        assert not await watched.keeper.save(document)
        assert len(watched.conflicts) == 2, "asked again when it is to be saved"
        document.keep_mine()
        watched.keeper.settled(document)
        assert watched.keeper.problem(document) is None
        edit(document, 0, "mine at last")
        await until(lambda: on_disk(document.path) == ["mine at last"])
    assert on_disk(tmp_path / "talk.theirs-1.toml") == ["theirs"]


@in_loop
async def test_showing_theirs_settles_a_conflict(tmp_path: Path) -> None:
    document = written(tmp_path / "talk.toml", "one")
    watched = Watched(document)
    theirs(document.path, "theirs")
    edit(document, 0, "mine")
    assert not await watched.keeper.save(document)
    document.reload()
    watched.keeper.settled(document)
    async with watched.watching():
        await rounds(watched)
    assert len(watched.conflicts) == 1
    assert [m.text for m in document.conversation.messages] == ["theirs"]
    document.undo()
    assert [m.text for m in document.conversation.messages] == ["mine"]


@in_loop
async def test_what_cant_be_saved_is_kept_in_the_data_folder_meanwhile(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "RETRY_AFTER", 0.1)
    folder = tmp_path / "gone"
    folder.mkdir()
    document = written(folder / "talk.toml", "one")
    watched = Watched(document)
    document.path.unlink()
    folder.rmdir()

    def kept() -> list[str]:
        return [text for path in rescue_folder().glob("*.toml") for text in on_disk(path)]

    edit(document, 0, "two")
    async with watched.watching():
        await until(lambda: kept() == ["two"])
        await until(lambda: watched.keeper.kept_elsewhere(document))
        edit(document, 0, "three")
        assert not watched.keeper.kept_elsewhere(document)
        await until(lambda: kept() == ["three"])
        folder.mkdir()
        await until(lambda: not document.unsaved)
        await until(lambda: kept() == [])


@in_loop
async def test_a_failing_save_is_said_and_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    document = written(folder / "talk.toml", "one")
    watched = Watched(document)
    document.path.unlink()
    folder.rmdir()
    edit(document, 0, "two")
    async with watched.watching():
        await until(lambda: watched.keeper.problem(document))
        assert "gone" in (watched.keeper.problem(document) or "")
        assert document.unsaved
        folder.mkdir()
        await until(lambda: not document.unsaved)
        await until(lambda: watched.keeper.problem(document) is None)
    assert on_disk(document.path) == ["two"]
    assert not watched.conflicts


@in_loop
async def test_a_file_that_becomes_unreadable_is_said_until_it_can_be_read(tmp_path: Path) -> None:
    document = written(tmp_path / "talk.toml", "one")
    watched = Watched(document)
    async with watched.watching():
        document.path.write_bytes(b"qiao = = 1")
        await until(lambda: watched.keeper.problem(document))
        assert [m.text for m in document.conversation.messages] == ["one"]
        theirs(document.path, "mended")
        await until(lambda: [m.text for m in document.conversation.messages] == ["mended"])
        await until(lambda: watched.keeper.problem(document) is None)


@in_loop
async def test_what_was_edited_is_told_of_though_another_look_at_the_file_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = written(tmp_path / "talk.toml", "one")
    watched = Watched(document)
    looking, go_on = threading.Event(), threading.Event()
    data = document.path.read_bytes()

    def read_slowly(path: Path) -> OnDisk:
        found = read(path)
        if not looking.is_set():
            looking.set()
            go_on.wait(PATIENCE_S)
        return found

    monkeypatch.setattr(documents, "read", read_slowly)
    os.utime(document.path, (1, 1))
    look = asyncio.create_task(asyncio.to_thread(document.changed_on_disk))
    await until(looking.is_set)
    document.path.write_bytes(data + b"}")
    taking_in = asyncio.create_task(watched.keeper.take_in(document, "screen.file_edited"))
    asyncio.get_running_loop().call_later(0.1, go_on.set)
    assert "line" in (await taking_in or "")
    assert not await look


@in_loop
async def test_a_file_that_is_gone_is_made_again_by_the_next_edit(tmp_path: Path) -> None:
    document = written(tmp_path / "talk.toml", "one")
    watched = Watched(document)
    async with watched.watching():
        document.path.unlink()
        await rounds(watched)
        assert not document.path.exists()
        edit(document, 0, "two")
        await until(document.path.exists)
        await until(lambda: not document.unsaved)
    assert on_disk(document.path) == ["two"]


@in_loop
async def test_a_read_only_document_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "newer.toml"
    path.write_text("qiao = 99\n", encoding="utf-8")
    watched = Watched(Document.open(path))
    async with watched.watching():
        path.write_text("qiao = 98\n", encoding="utf-8")
        await rounds(watched)
    assert path.read_text(encoding="utf-8") == "qiao = 98\n"
    assert not watched.conflicts


@in_loop
async def test_one_documents_trouble_is_not_anothers(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a.toml", "one"), written(tmp_path / "b.toml", "one")
    watched = Watched(first, second)
    theirs(first.path, "theirs")
    edit(first, 0, "mine")
    edit(second, 0, "two")
    async with watched.watching():
        await until(lambda: watched.conflicts)
        await until(lambda: not second.unsaved)
    assert on_disk(second.path) == ["two"]
    assert watched.keeper.problem(second) is None


@in_loop
async def test_an_untitled_document_is_kept_in_the_data_folder(home: Path) -> None:
    document = Document.untitled(talk("one"))
    watched = Watched(document)
    edit(document, 0, "two")
    async with watched.watching():
        await until(lambda: not document.unsaved)
    assert document.path.is_relative_to(home)
    assert on_disk(document.path) == ["two"]
