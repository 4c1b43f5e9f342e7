"""The folder that Qiao was started in is deleted meanwhile: the work goes on, and is saved where it can be."""

import shutil
from pathlib import Path

import pytest
from textual.widgets import Input

from qiao.tui.keeping import journaling, recent_files
from qiao.tui.keeping.open_before import OpenFiles
from qiao.workbench.conversation_file import dumps
from qiao.workbench.document import Document
from qiao.workbench.errors import Unreadable
from qiao.workbench.saving import Unsaved

from ..driving import HELLO, in_loop, talk, workbench


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(journaling, "EVERY", 0.02)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@in_loop
async def test_a_deleted_folder_ends_nothing(here: Path, home: Path, tmp_path: Path) -> None:
    draft = home / "data" / "untitled" / "20260101-000000.toml"
    draft.parent.mkdir(parents=True)
    draft.write_bytes(dumps(talk(("user", "A draft of long ago."))))
    elsewhere = tmp_path / "elsewhere" / "kept.toml"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(dumps(talk(("user", "Kept."), title="Kept elsewhere")))
    recent_files.add(elsewhere)
    Path("talk.toml").write_bytes(dumps(talk(*HELLO)))
    async with workbench(None, Path("talk.toml")) as bench:
        shutil.rmtree(here)
        await bench.press("a")
        await bench.type("written on")
        await bench.press("escape")
        await bench.see("written on")
        await bench.press("O")
        await bench.see("A draft of long ago.", "Kept elsewhere")
        await bench.press("escape", "colon")
        await bench.type("Kept")
        await bench.see("Kept elsewhere")
        await bench.press("escape", "w")
        await bench.press("escape", "W")
        await bench.see("Save as")
        await bench.press("ctrl+u")
        await bench.type("foo")
        await bench.press("enter")
        await bench.see("foo has no folder")
        assert bench.app.screen.query_one(Input).value == "foo"
        await bench.press("ctrl+u")
        await bench.paste(str(elsewhere.with_name("saved.toml")))
        await bench.press("enter")
        await bench.until(lambda: "written on" in elsewhere.with_name("saved.toml").read_text(encoding="utf-8"))


def test_a_path_means_the_same_file_wherever_one_is(
    here: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (here / "talk.toml").write_bytes(dumps(talk(*HELLO)))
    document = Document.open(Path("talk.toml"))
    monkeypatch.chdir(tmp_path)
    assert document.path == here / "talk.toml"
    document.save_as(Path("other.toml"))
    assert document.path == tmp_path / "other.toml"


def test_names_without_a_folder_are_refused(here: Path) -> None:
    document = Document.untitled(talk(*HELLO))
    here.rmdir()
    with pytest.raises(Unreadable, match=r"talk\.toml has no folder"):
        Document.open(Path("talk.toml"))
    with pytest.raises(Unsaved, match=r"talk\.toml has no folder"):
        document.save_as(Path("talk.toml"))
    OpenFiles().look([document])
