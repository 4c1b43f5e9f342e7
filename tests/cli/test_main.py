"""`qiao` itself: help, version, what is refused before the screen starts, and how it ends."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from qiao.cli.arguments import COMMANDS

from ..patience import PATIENCE_S

Qiao = Callable[..., Any]

COMMAND = [sys.executable, "-m", "qiao.cli"]


@pytest.mark.parametrize("language", ["en", "zh_CN.UTF-8"])
@pytest.mark.parametrize("width", ["30", "80", "200"])
def test_help_names_every_command_in_the_persons_language(
    qiao: Qiao, monkeypatch: pytest.MonkeyPatch, language: str, width: str
) -> None:
    monkeypatch.setenv("LANG", language)
    monkeypatch.setenv("COLUMNS", width)
    ended = qiao("--help")
    assert (ended.code, ended.err) == (0, "")
    lines = [line.split()[0] for line in ended.out.splitlines() if line.strip()]
    assert set(COMMANDS) < set(lines)
    assert ("用法" in ended.out) == (language != "en")
    assert ("Usage" in ended.out) == (language == "en")


@pytest.mark.parametrize("language", ["en", "zh_CN.UTF-8"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_page_with_examples(
    qiao: Qiao, monkeypatch: pytest.MonkeyPatch, command: str, language: str
) -> None:
    monkeypatch.setenv("LANG", language)
    ended = qiao(command, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert f"qiao {command}" in ended.out.partition("\n")[0]
    assert ended.out.count(f"qiao {command}") > 1
    foreign = ("示例", "选项") if language == "en" else ("Examples", "Options", "show this")
    assert not any(word in ended.out for word in foreign)


def test_version(qiao: Qiao) -> None:
    assert qiao("--version") == (0, f"qiao {version('qiao')}\n", "")


def test_without_a_terminal_there_is_no_screen(qiao: Qiao) -> None:
    for arguments in ([], ["talk.toml"], ["--run", "talk.toml"]):
        ended = qiao(*arguments)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith("qiao: The workbench needs a terminal")
        assert ended.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--run"], ["--rum"], ["--json"], ["-x", "models"]])
def test_wrong_usage(qiao: Qiao, arguments: list[str]) -> None:
    ended = qiao(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == 1


def in_terminal(*arguments: str, cwd: Path) -> tuple[int, str]:
    """The command as a process of its own, with a terminal for all its streams; what it showed there."""
    controller, end = os.openpty()
    process = subprocess.Popen([*COMMAND, *arguments], stdin=end, stdout=end, stderr=end, cwd=cwd)
    os.close(end)
    shown = b""
    while True:
        try:
            chunk = os.read(controller, 65536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    os.close(controller)
    return process.wait(PATIENCE_S), shown.decode()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("talk.toml", "qiao = 1\n[[message]]\nrole = 'boss'\n", "message 1, role"),
        ("talk.toml", "qiao = ", "talk.toml"),
        ("no/folder/talk.toml", None, "no/folder"),
        ("modles", None, "qiao models"),
        (".", None, "folder"),
        ("-", None, "qiao run -"),
    ],
)
def test_a_file_that_can_not_be_opened_is_said_before_the_screen_starts(
    tmp_path: Path, name: str, content: str | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    code, shown = in_terminal(name, cwd=tmp_path)
    assert code == 2
    assert said in shown
    assert shown.startswith("qiao: ")
    assert shown.count("\n") == 1
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    "arguments", [["models"], ["run", "--json"], ["--help"], ["run", "--help"], ["--version"], ["completion", "zsh"]]
)
def test_a_closed_pipe_is_no_error(arguments: list[str]) -> None:
    """As in `qiao models | head -0`."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as closed:
        ended = subprocess.run(
            [*COMMAND, *arguments], stdin=subprocess.DEVNULL, stdout=closed, stderr=subprocess.PIPE, timeout=PATIENCE_S
        )
    assert ended.stderr == b""
    assert ended.returncode == 141


def test_a_full_disk_is_said_in_one_line() -> None:
    with open("/dev/full", "wb") as full:
        ended = subprocess.run([*COMMAND, "models"], stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE_S)
    assert ended.returncode == 4
    assert ended.stderr.startswith(b"qiao: ")
    assert ended.stderr.count(b"\n") == 1


def test_closed_streams_are_no_traceback() -> None:
    ended = subprocess.run(
        ["sh", "-c", '"$@" models <&- >&-', "sh", *COMMAND], capture_output=True, timeout=PATIENCE_S, check=False
    )
    assert b"Traceback" not in ended.stderr


HEAVY = ("torch", "transformers", "modelscope", "openai", "keyring", "psutil", "textual", "rich", "gguf", "numpy")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["models", "--json"]])
def test_what_is_quick_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from qiao.cli.main import main; code = main(sys.argv[1:]);"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr); raise SystemExit(code)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, timeout=PATIENCE_S, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"[]\n")


def test_what_is_missing_is_what_can_be_written(qiao: Qiao) -> None:
    assert qiao("keys").err == "qiao: Missing: ACTION. See qiao keys --help.\n"


def test_a_name_that_no_file_can_have_is_no_mistake_of_qiaos(qiao: Qiao) -> None:
    ended = qiao("a" * 300)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
