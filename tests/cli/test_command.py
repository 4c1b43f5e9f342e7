"""The command as a process of its own, with the real starter model."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps, loads

from ..patience import PATIENCE_S

COMMAND = [sys.executable, "-m", "qiao.cli"]
FRANCE = "What is the capital of France?\n"
LONG = "Write a very long story about a bridge."


def qiao(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], input=stdin, capture_output=True, text=True, timeout=280, check=False)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    path = tmp_path / "talk.toml"
    path.write_bytes(dumps(Conversation(messages=(Message(role="user", text=LONG),), model="local:starter")))
    return path


@pytest.mark.usefixtures("starter_home")
class TestTheStarter:
    def test_an_answer_on_stdout_and_nothing_else(self) -> None:
        ended = qiao("run", "-", "-m", "local:starter", "--set", "temperature=0", stdin=FRANCE)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "Paris" in ended.stdout
        assert ended.stdout == ended.stdout.strip() + "\n"

    def test_one_json_object(self) -> None:
        ended = qiao("run", "-", "-m", "local:starter", "--set", "temperature=0", "--json", stdin=FRANCE)
        assert (ended.returncode, ended.stderr) == (0, "")
        said = json.loads(ended.stdout)
        assert "Paris" in said["text"]
        assert said["model"] == "local:starter"
        assert said["sampling"]["temperature"] == 0
        assert said["usage"]["prompt_tokens"] > 5
        assert said["usage"]["completion_tokens"] > 3
        assert 0 < said["timing"]["first_token_ms"] <= said["timing"]["total_ms"]
        assert said["timing"]["tokens_per_second"] > 0

    def test_the_exact_prompt(self) -> None:
        ended = qiao("show", "-", "-m", "local:starter", "--system", "Be brief.", stdin=FRANCE)
        assert ended.returncode == 0
        assert ended.stdout == (
            "<|im_start|>system\nBe brief.<|im_end|>\n"
            "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n"
            "<|im_start|>assistant\n"
        )
        assert ended.stderr.endswith(" tokens of a context of 8192\n")

    @pytest.mark.parametrize("signals", [1, 2])
    def test_interrupted(self, talk: Path, signals: int) -> None:
        process = subprocess.Popen(
            [*COMMAND, "run", str(talk), "--save", "--set", "seed=1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stderr is not None
        arrived = os.read(process.stdout.fileno(), 100)
        assert arrived
        began = time.monotonic()
        for _ in range(signals):
            process.send_signal(signal.SIGINT)
        rest, noted = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 130
        # Far above what it takes, since other tests may run beside this one; far below finishing the story.
        assert time.monotonic() - began < 10
        if signals == 1:
            assert noted == b"qiao: Interrupted.\n"
            take = loads(talk.read_bytes(), "").conversation.messages[1].take
            assert take is not None
            assert take.finish == "cancelled"
            assert f"{take.text}\n".encode().replace(b"\n\n", b"\n") == (arrived + rest).replace(b"\n\n", b"\n")
        else:
            assert noted in (b"", b"qiao: Interrupted.\n")


def test_what_is_no_model_is_refused_in_one_line(tmp_path: Path) -> None:
    for address in ("local:nobody/nothing", f"local:{tmp_path}", "nobody:x"):
        ended = qiao("run", "-", "-m", address, stdin="?")
        assert (ended.returncode, ended.stdout) == (3, "")
        assert ended.stderr.startswith("qiao: ")
        assert ended.stderr.count("\n") == 1


def test_a_broken_file_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("qiao = 1\n[[message]\n")
    ended = qiao("run", str(path))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"qiao: {path}: line 2")
    assert ended.stderr.count("\n") == 1


def test_a_download_that_is_interrupted_leaves_nothing_half_done(home: Path) -> None:
    process = subprocess.Popen([*COMMAND, "pull", "local:starter"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr is not None
    assert process.stderr.readline().startswith(b"Fetching local:starter")
    process.send_signal(signal.SIGINT)
    out, noted = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, noted) == (130, b"", b"qiao: Interrupted.\n")
    left = [path for path in home.rglob("*") if path.is_file() and path.name != ".lock"]
    assert left == []
