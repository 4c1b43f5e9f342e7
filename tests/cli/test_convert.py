"""`qiao convert`, from files to files."""

import errno
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Qiao = Callable[..., Any]

LINES = (
    '{"conversations": [{"from": "human", "value": "2+2?"}, {"from": "gpt", "value": "4"}]}\n'
    '{"conversations": [{"from": "human", "value": "你好"}], "id": "two words/../x"}\n'
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.jsonl").write_text(LINES, encoding="utf-8")
    return tmp_path


def test_many_become_a_file_each_and_one_again(qiao: Qiao, here: Path) -> None:
    assert qiao("convert", "data.jsonl", "talks/") == (0, "", "2 to talks/ (qiao)\n")
    assert sorted(file.name for file in (here / "talks").iterdir()) == ["01.toml", "02-two-words-x.toml"]
    ended = qiao("convert", "talks", "-", "--to", "messages-jsonl")
    assert (ended.code, ended.err) == (0, "left out: titles (1)\n")
    assert [json.loads(line)["messages"][0]["content"] for line in ended.out.splitlines()] == ["2+2?", "你好"]


def test_one_file_doesnt_hold_several(qiao: Qiao, here: Path) -> None:
    code, _, err = qiao("convert", "data.jsonl", "talk.toml")
    assert code == 2
    assert "There are 2 conversations" in err
    assert not (here / "talk.toml").exists()


def test_what_is_there_is_replaced_only_if_asked(qiao: Qiao, here: Path) -> None:
    (here / "out.json").write_text("mine")
    code, _, err = qiao("convert", "data.jsonl", "out.json")
    assert (code, (here / "out.json").read_text()) == (2, "mine")
    assert "--force" in err
    assert qiao("convert", "data.jsonl", "out.json", "--force").code == 0
    assert len(json.loads((here / "out.json").read_text())) == 2


def test_from_stdin_with_the_format_named(qiao: Qiao) -> None:
    ended = qiao(
        "convert", "-", "-", "--from", "alpaca", "--to", "markdown", stdin='{"instruction": "Hi", "output": "Yo"}'
    )
    assert ended == (0, "## User\n\nHi\n\n## Assistant\n\nYo\n", "")


@pytest.mark.parametrize("target", ["out.xyz", "-"])
def test_an_ending_that_tells_nothing(qiao: Qiao, target: str) -> None:
    code, out, err = qiao("convert", "data.jsonl", target)
    assert (code, out) == (2, "")
    assert "--to" in err


def test_a_missing_file_and_a_folder_without_conversations(qiao: Qiao, here: Path) -> None:
    assert qiao("convert", "gone.json", "x.md").code == 2
    (here / "empty").mkdir()
    assert "holds no conversation" in qiao("convert", "empty", "x.md").err


@pytest.mark.parametrize(
    ("held", "said"), [("[]", "The list in stdin is empty"), ("[{}]", "The first object in stdin has no fields")]
)
def test_what_holds_nothing_is_called_so(qiao: Qiao, held: str, said: str) -> None:
    code, out, err = qiao("convert", "-", "-", "--to", "markdown", stdin=held)
    assert (code, out) == (2, "")
    assert said in err


LONG = "a" * 300


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((LONG, "x.md"), "File name too long"),
        (("data.jsonl", f"{LONG}.json"), "File name too long"),
        (("data.jsonl", "data.jsonl/"), "data.jsonl"),
        (("data.jsonl", "/dev/null/talks/"), "/dev/null/talks"),
        (("data.jsonl", "/dev/null", "--to", "messages", "--force"), "no ordinary file"),
        (("data.jsonl", "-", "--to", "qiao"), "name a folder: talks/"),
    ],
)
def test_what_cant_be_read_or_written_is_said_in_a_line(qiao: Qiao, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = qiao("convert", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_a_stdin_that_cant_be_read_is_said_in_a_line(qiao: Qiao, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(io, "BytesIO", Broken)
    for arguments in (("convert", "-", "-", "--to", "messages"), ("run", "-", "-m", "scripted:echo")):
        code, _, err = qiao(*arguments)
        assert (code, err) == (2, "qiao: stdin can't be read: Input/output error.\n")
