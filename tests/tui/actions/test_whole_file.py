"""The whole conversation in the person's own editor, by keys; the editor is a script."""

import contextlib
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qiao.tui.app import QiaoApp
from qiao.tui.keeping import keeper

from ..driving import HELLO, in_loop, talk, workbench


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)


@pytest.fixture
def use_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes $EDITOR a script of these lines of sh; "$1" is the file. The screen is as good as given up to it."""

    @contextlib.contextmanager
    def given_up(_app: QiaoApp) -> Iterator[None]:
        yield

    monkeypatch.setattr(QiaoApp, "suspend", given_up)

    def use(script: str) -> None:
        editor = tmp_path / "editor.sh"
        editor.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", str(editor))

    return use


@in_loop
async def test_what_is_edited_in_the_file_is_one_step_of_undo(
    tmp_path: Path, use_editor: Callable[[str], None]
) -> None:
    use_editor("""sed -i 's/Be brief/Be very brief/; s/France/Spain/; s/^qiao = 1/&\\ntitle = "Mine"/' "$1" """)
    async with workbench(talk(*HELLO), tmp_path / "talk.toml") as bench:
        await bench.press("a", *"More", "escape", "E")
        await bench.see("Be very brief.", "Capital of Spain?", "More", "is as you edited it")
        assert bench.session.conversation.title == "Mine"
        await bench.press("u")
        await bench.saved(*HELLO, ("assistant", "More"))
        await bench.press("u")
        await bench.saved(*HELLO)


@in_loop
async def test_a_file_left_as_it_was_is_no_change(tmp_path: Path, use_editor: Callable[[str], None]) -> None:
    use_editor(f'cp "$1" {tmp_path}/seen')
    async with workbench(talk(*HELLO), tmp_path / "talk.toml") as bench:
        await bench.press("E")
        await bench.until((tmp_path / "seen").exists)
        await bench.see("saved")
        assert not bench.session.document.can_undo
        assert (tmp_path / "seen").read_bytes() == (tmp_path / "talk.toml").read_bytes()


@in_loop
async def test_a_file_that_cant_be_read_is_told_by_its_place_and_edited_again(
    tmp_path: Path, use_editor: Callable[[str], None]
) -> None:
    use_editor("""sed -i 's/role = "user"/role = "robot"/; s/France/Spain/' "$1" """)
    async with workbench(talk(*HELLO), tmp_path / "talk.toml") as bench:
        await bench.press("E")
        await bench.see("message 2, role", "robot", "edit it again", "Capital of France?")
        use_editor("""sed -i 's/robot/user/' "$1" """)
        await bench.press("e")
        await bench.see("Capital of Spain?", "saved")
        await bench.miss("edit it again")


@in_loop
async def test_what_cant_be_read_may_be_left_and_mended_later(
    tmp_path: Path, use_editor: Callable[[str], None]
) -> None:
    use_editor('echo "}" >> "$1"')
    path = tmp_path / "talk.toml"
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("E")
        await bench.see("edit it again")
        await bench.press("escape")
        await bench.see("Capital of France?")
        await bench.miss("edit it again")
        assert "line" in (bench.app.keeper.problem(bench.session.document) or "")
        assert path.read_text().endswith("}\n"), "what was written stays"
        use_editor("""sed -i '$d; s/France/Spain/' "$1" """)
        await bench.press("E")
        await bench.see("Capital of Spain?", "saved")


@in_loop
async def test_the_conversation_can_be_put_back_over_what_cant_be_read(
    tmp_path: Path, use_editor: Callable[[str], None]
) -> None:
    use_editor('echo "}" >> "$1"')
    async with workbench(talk(*HELLO), tmp_path / "talk.toml") as bench:
        await bench.press("E")
        await bench.see("edit it again")
        await bench.press("m")
        await bench.see("What you wrote lies in", "saved")
        assert bench.said() == list(HELLO)
        assert (tmp_path / "talk.theirs-1.toml").read_text().endswith("}\n")


@in_loop
async def test_a_draft_without_a_name_or_a_file_gets_one(home: Path, use_editor: Callable[[str], None]) -> None:
    use_editor("""printf 'qiao = 1\\n[[message]]\\nrole = "user"\\ntext = "By hand"\\n' > "$1" """)
    async with workbench(None) as bench:
        await bench.press("E")
        await bench.see("By hand", "draft")
        assert bench.session.document.path.is_relative_to(home)


@in_loop
async def test_an_editor_that_isnt_there_is_named(tmp_path: Path, use_editor: Callable[[str], None]) -> None:
    use_editor("exit 3")
    async with workbench(talk(*HELLO), tmp_path / "talk.toml") as bench:
        await bench.press("E")
        await bench.see("code 3")
        (tmp_path / "editor.sh").unlink()
        await bench.press("E")
        await bench.see("can't be started")
        assert bench.said() == list(HELLO)


@in_loop
async def test_a_file_that_is_gone_is_written_again_before_it_is_edited(
    tmp_path: Path, use_editor: Callable[[str], None]
) -> None:
    use_editor("""sed -i 's/France/Spain/' "$1" """)
    path = tmp_path / "talk.toml"
    async with workbench(talk(*HELLO), path) as bench:
        path.unlink()
        await bench.press("E")
        await bench.see("Capital of Spain?", "is as you edited it")


@in_loop
async def test_what_cant_be_read_is_settled_by_making_it_what_it_was(
    tmp_path: Path, use_editor: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 60)
    use_editor('echo "}" >> "$1"')
    async with workbench(talk(*HELLO), tmp_path / "talk.toml") as bench:
        await bench.press("E")
        await bench.see("edit it again")
        use_editor("""sed -i '$d' "$1" """)
        await bench.press("e")
        await bench.see("saved")
        await bench.miss("edit it again")
        assert bench.said() == list(HELLO)
