"""$EDITOR gets the text as it is, and gives back what it left."""

import contextlib
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.app import App, SuspendNotSupported

from qiao.tui.input.external_editor import edit_text
from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps
from qiao.workbench.errors import QiaoError

from ..conftest import Terminal


class Suspendable(App[object]):
    """An app that can be suspended without a terminal, and notes that it was; as Textual does, it comes back only if
    nothing was raised meanwhile."""

    suspended = resumed = 0

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        self.suspended += 1
        yield
        self.resumed += 1


class Unsuspendable(App[object]):
    """An app in a terminal that can't be given up."""

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        raise SuspendNotSupported
        yield


@pytest.fixture
def use_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes $EDITOR a script of these lines of sh; "$1" is the file."""

    def use(script: str) -> Path:
        editor = tmp_path / "my editor.sh"
        editor.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", f"'{editor}'")
        return editor

    return use


def test_what_the_editor_writes_comes_back(use_editor: Callable[[str], Path]) -> None:
    use_editor('printf "%s" " and more" >> "$1"')
    app = Suspendable()
    assert edit_text(app, "text") == "text and more"
    assert app.suspended == 1


@pytest.mark.parametrize(
    "text", ["", "plain", "ends\n", "a\r\nb\rc", "控制\x00\x1b[2J\u2028\u202e", "tabs\tand  blanks  \n\n", "👩\u200d👩"]
)
def test_a_text_that_isnt_touched_is_no_change(use_editor: Callable[[str], Path], text: str) -> None:
    use_editor("exit 0")
    assert edit_text(Suspendable(), text) is None


def test_the_editor_gets_every_byte(use_editor: Callable[[str], Path], tmp_path: Path) -> None:
    use_editor(f'cp "$1" "{tmp_path}/seen"')
    text = "a\r\nb\rc\x00\x1b\u2028中文 \n"
    edit_text(Suspendable(), text)
    assert (tmp_path / "seen").read_bytes() == text.encode()


def test_the_line_feed_that_editors_add_is_left_out(use_editor: Callable[[str], Path]) -> None:
    use_editor('printf "new\\n" > "$1"')
    assert edit_text(Suspendable(), "old") == "new"
    assert edit_text(Suspendable(), "old\n") == "new\n"
    use_editor('printf "\\n" >> "$1"')
    assert edit_text(Suspendable(), "same") is None


def test_visual_goes_before_editor_and_may_have_arguments(
    use_editor: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = use_editor('printf "%s" "$1" > "$2"')
    monkeypatch.setenv("EDITOR", "false")
    monkeypatch.setenv("VISUAL", f"'{editor}' --wait")
    assert edit_text(Suspendable(), "x") == "--wait"


def test_an_editor_that_fails_changes_nothing_and_is_named(use_editor: Callable[[str], Path]) -> None:
    use_editor('printf "half" > "$1"; exit 3')
    with pytest.raises(QiaoError, match=r"my editor\.sh.*3"):
        edit_text(Suspendable(), "x")


def test_an_editor_that_isnt_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "no-such-editor-\x1b[2J")
    app = Suspendable()
    with pytest.raises(QiaoError, match="no-such-editor") as caught:
        edit_text(app, "x")
    assert app.resumed == 1
    assert "\x1b" not in str(caught.value)


def test_a_command_that_cant_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "vi 'unclosed")
    app = Suspendable()
    with pytest.raises(QiaoError, match="unclosed"):
        edit_text(app, "x")
    assert app.resumed == 1


@pytest.mark.parametrize("key", ["\x03", "\x1c"])
def test_a_key_that_interrupts_the_editor_ends_that_alone(
    open_terminal: Callable[..., Terminal], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("VISUAL", "sh -c 'echo the editor is here; exec sleep 600'")
    path = tmp_path / "talk.toml"
    path.write_bytes(dumps(Conversation(messages=(Message(role="user", text="Hello."),))))
    terminal = open_terminal(str(path))
    terminal.wait("Hello.")
    for _ in range(2):
        terminal.send("o")
        terminal.wait("the editor is here")
        terminal.send(key)
        terminal.wait(lambda shown: "q quit" in shown and "the editor is here" not in shown)
    terminal.send("e!\x1b")
    terminal.wait("Hello.!")


@pytest.mark.parametrize("editor", ["/no/such/editor", "vi 'unclosed"])
def test_the_screen_comes_back_from_an_editor_that_isnt_there(
    open_terminal: Callable[..., Terminal], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, editor: str
) -> None:
    monkeypatch.setenv("VISUAL", editor)
    path = tmp_path / "talk.toml"
    path.write_bytes(dumps(Conversation(messages=(Message(role="user", text="Hello."),))))
    terminal = open_terminal(str(path))
    terminal.wait("Hello.")
    for key in "oE":
        terminal.send(key)
        terminal.wait("can't be started")
        terminal.send("\x1b")
        terminal.wait(lambda shown: "can't be started" not in shown)
    terminal.send("e!\x1b")
    terminal.wait("Hello.!")


def test_an_editor_that_takes_the_file_away_is_said(use_editor: Callable[[str], Path]) -> None:
    use_editor('rm "$1"')
    with pytest.raises(QiaoError):
        edit_text(Suspendable(), "x")


def test_a_terminal_that_cant_be_given_up_is_said(use_editor: Callable[[str], Path]) -> None:
    use_editor("exit 0")
    with pytest.raises(QiaoError, match="can't be given up"):
        edit_text(Unsuspendable(), "x")


def test_what_isnt_utf8_becomes_replacement_marks(use_editor: Callable[[str], Path]) -> None:
    use_editor('printf "a\\377b" > "$1"')
    assert edit_text(Suspendable(), "x") == "a\ufffdb"


def test_nothing_is_left_behind(
    use_editor: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    use_editor(f'stat -c %a "$(dirname "$1")" > "{tmp_path}/mode"; printf new > "$1"')
    assert edit_text(Suspendable(), "secret") == "new"
    assert list(folder.iterdir()) == []
    assert (tmp_path / "mode").read_text().strip() == "700", "for nobody else's eyes"
