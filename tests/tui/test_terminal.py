"""The real program, the real starter model, real keys in a real terminal."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.cells import cell_len

from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps
from qiao.workbench.sampling import Sampling

from ..patience import PATIENCE_S
from .conftest import Terminal

pytestmark = pytest.mark.usefixtures("starter_home")

Open = Callable[..., Terminal]


def write(path: Path, *questions: str) -> Path:
    """A conversation of user messages, to be answered greedily."""
    messages = tuple(Message(role="user", text=question) for question in questions)
    path.write_bytes(dumps(Conversation(sampling=Sampling(temperature=0.0), messages=messages)))
    return path


def saved(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def wait_for_file(path: Path, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The file, once it meets the condition."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if path.exists() and condition(found := saved(path)):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{path} never came to it: {path.read_text() if path.exists() else 'no file'}")


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24)])
def test_a_whole_conversation(open_terminal: Open, tmp_path: Path, columns: int, rows: int) -> None:
    """The main job, from an empty file to coming back to it."""
    file = tmp_path / "talk.toml"
    file.write_bytes(dumps(Conversation(sampling=Sampling(temperature=0.0))))
    terminal = open_terminal(str(file), columns=columns, rows=rows)
    terminal.wait("Nothing is written yet")

    # A system and a user message; keys and text arrive in one burst, as over a slow line.
    terminal.send("a\x14\x14")
    terminal.wait("system  editing")
    terminal.send("You are terse.\x1b")
    terminal.send("aCount from one to two hundred in words.")
    terminal.wait("user  editing")
    terminal.wait("two hundred in words.")
    terminal.send("\x12")

    # It streams; stopped half-way, what has arrived stays.
    terminal.wait(lambda shown: re.search(r"starter · [1-9]\d* tok", shown))
    terminal.send("\x1b")
    terminal.wait("stopped")
    first = wait_for_file(file, lambda d: len(d["message"]) == 3)["message"][2]["take"][0]
    assert first["finish"] == "cancelled"
    assert first["text"]

    # Run again, walk the takes.
    terminal.send("r")
    terminal.wait("‹2/2›")
    terminal.wait(lambda shown: re.search(r"starter · [1-9]\d* tok", shown))
    terminal.send("\x1b")
    wait_for_file(file, lambda d: len(d["message"][2]["take"]) == 2)
    terminal.send("h")
    terminal.wait("‹1/2›")
    terminal.send("l")
    terminal.wait("‹2/2›")

    # Another question: the old takes are stale.
    terminal.send("ke")
    terminal.wait("user  editing")
    terminal.send("\x05\x15What is the capital of France?\x1b")
    terminal.wait("stale")
    terminal.send("r")
    terminal.wait("‹3/3›")
    shown = terminal.wait(lambda shown: "Paris" in shown and "stop" in shown and "esc stop" not in shown)
    assert "stale" not in shown

    # A role, thrice undone; out, and in again.
    terminal.send("t")
    terminal.wait(lambda shown: "assistant" not in shown)
    terminal.send("uuu")
    terminal.wait("‹2/2›")
    terminal.send("q")
    assert terminal.ended() == 0
    document = saved(file)
    assert [m["role"] for m in document["message"]] == ["system", "user", "assistant"]
    assert len(document["message"][2]["take"]) == 2

    again = open_terminal(str(file), columns=columns, rows=rows)
    shown = again.wait("‹2/2›")
    assert "You are terse." in shown or rows == 24
    again.send("q")
    assert again.ended() == 0


def test_run_at_once_from_nothing(open_terminal: Open, tmp_path: Path) -> None:
    file = write(tmp_path / "first.toml", "What is the capital of France?")
    terminal = open_terminal("--run", str(file))
    terminal.wait("Paris")
    take = wait_for_file(file, lambda d: len(d["message"]) == 2)["message"][1]["take"][0]
    assert take["model"] == "local:starter"
    assert take["usage"]["prompt_tokens"] > 20
    assert take["timing"]["first_token_ms"] > 0
    assert isinstance(take["seed"], int)


HOSTILE = "[red]not red[/] \x1b[2J\x1b]52;c;aGk=\x07 \u202eback\u202c 👨‍👩‍👧 你好，世界 \x9b31m end"


def test_hostile_text_shows_saves_and_loads_unchanged(open_terminal: Open, tmp_path: Path) -> None:
    file = tmp_path / "hostile.toml"
    file.write_bytes(dumps(Conversation(messages=(Message(role="user", text=HOSTILE),))))
    assert saved(file)["message"][0]["text"] == HOSTILE
    terminal = open_terminal(str(file))
    shown = terminal.wait("[red]not red[/] ␛[2J␛]52;c;aGk=␇ ↔back↔")
    assert all(part in shown for part in ("👨👩👧 你好，世", "界 �31m end"))
    # Into the editor and out again, with one character more.
    terminal.send("e")
    terminal.wait("editing")
    terminal.send("!\x1b")
    wait_for_file(file, lambda d: d["message"][0]["text"] == HOSTILE + "!")
    terminal.send("q")
    assert terminal.ended() == 0
    output = bytes(terminal.output)
    assert b"\x1b]52" not in output
    assert b"\x1b[2J\x1b]" not in output
    assert "\u202e".encode() not in output
    assert b"\xc2\x9b" not in output


def test_a_paste_runs_no_keys(open_terminal: Open, tmp_path: Path) -> None:
    file = write(tmp_path / "paste.toml", "before")
    terminal = open_terminal(str(file))
    terminal.wait("before")
    terminal.paste("dd\nqq\nrr")
    terminal.wait("user  editing")
    terminal.send("\x1b")
    document = wait_for_file(file, lambda d: len(d["message"]) == 2)
    assert [m["text"] for m in document["message"]] == ["before", "dd\nqq\nrr"]
    assert terminal.process.poll() is None


def test_escape_and_a_key_in_one_burst_are_both(open_terminal: Open, tmp_path: Path) -> None:
    file = write(tmp_path / "burst.toml", "What is the capital of France")
    terminal = open_terminal(str(file))
    terminal.wait("capital of France")
    terminal.send("e?\x1br")
    terminal.wait("‹1/1›")
    terminal.wait(lambda shown: "Paris" in shown and "esc stop" not in shown)
    document = wait_for_file(file, lambda d: len(d["message"]) == 2)
    assert document["message"][0]["text"] == "What is the capital of France?"


@pytest.mark.parametrize("delay", [0.1, 0.2, 0.3, 0.5])
def test_keys_typed_before_the_first_paint_mean_what_they_say(
    open_terminal: Open, tmp_path: Path, delay: float
) -> None:
    file = write(tmp_path / "ahead.toml", "One", "Two", "Three", "Four")
    terminal = open_terminal(str(file))
    time.sleep(delay)
    terminal.send("ddahello\x1b")
    terminal.wait("hello")
    wait_for_file(file, lambda d: [m.get("text") for m in d["message"]] == ["One", "Two", "hello"])


def test_the_terminals_cursor_stands_at_the_caret(open_terminal: Open, tmp_path: Path) -> None:
    terminal = open_terminal(str(tmp_path / "caret.toml"))
    terminal.wait("Nothing is written yet")
    terminal.send("a你好abc")
    shown = terminal.wait("abc")
    row = next(i for i, line in enumerate(shown.split("\n")) if "abc" in line)
    until = time.monotonic() + PATIENCE_S
    while terminal.cursor()[1] != row and time.monotonic() < until:
        time.sleep(0.05)
    assert terminal.cursor() == (cell_len(shown.split("\n")[row].partition("abc")[0] + "abc"), row)


def test_the_engine_killed_in_mid_answer(open_terminal: Open, tmp_path: Path) -> None:
    file = write(tmp_path / "killed.toml", "Count from one to two hundred in words.")
    terminal = open_terminal("--run", str(file))
    terminal.wait(lambda shown: re.search(r"starter · [1-9]\d* tok", shown))
    engine = [
        p for p in psutil.Process(terminal.process.pid).children(recursive=True) if "child" in " ".join(p.cmdline())
    ]
    assert engine
    engine[0].kill()
    terminal.wait("broke off")
    broken = wait_for_file(file, lambda d: len(d["message"]) == 2)["message"][1]["take"][0]
    assert broken["finish"] == "error"
    assert broken["error"]["kind"] == "engine_died"
    assert broken["text"]
    terminal.send("r")
    terminal.wait("‹2/2›")
    terminal.wait(lambda shown: re.search(r"starter · [1-9]\d* tok", shown))
    terminal.send("\x1b")
    terminal.wait("stopped")


def test_qiao_run_saves_while_the_workbench_has_it_open(open_terminal: Open, tmp_path: Path) -> None:
    file = write(tmp_path / "both.toml", "What is the capital of France?")
    terminal = open_terminal(str(file))
    terminal.wait("capital of France")
    run = subprocess.Popen(
        [sys.executable, "-m", "qiao.cli", "run", str(file), "--save", "--set", "temperature=0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    # Meanwhile something is written here: a message above.
    terminal.send("iBe brief.\x1b")
    wait_for_file(file, lambda d: d["message"][0].get("text") == "Be brief.")
    out, err = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 0, err
    assert b"Paris" in out
    # The answer is to messages that no longer stand there as they were: it is kept beside, or in the file if they do.
    beside = sorted(tmp_path.glob("both*.toml"))
    texts = [take["text"] for path in beside for m in saved(path)["message"] for take in m.get("take", [])]
    assert any("Paris" in text for text in texts)
    assert any(m.get("text") == "Be brief." for path in beside for m in saved(path)["message"])
    assert terminal.process.poll() is None


def test_an_answer_added_by_another_program_appears(open_terminal: Open, tmp_path: Path) -> None:
    file = write(tmp_path / "live.toml", "What is the capital of France?")
    terminal = open_terminal(str(file))
    terminal.wait("capital of France")
    done = subprocess.run(
        [sys.executable, "-m", "qiao.cli", "run", str(file), "--save", "--set", "temperature=0"],
        capture_output=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert b"Paris" in done.stdout
    terminal.wait("‹1/1›")
    terminal.send("jaThanks.\x1b")
    document = wait_for_file(file, lambda d: len(d["message"]) == 3 and d["message"][2].get("text"))
    assert "Paris" in document["message"][1]["take"][0]["text"]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_dropped_line_saves_what_was_being_written(open_terminal: Open, tmp_path: Path, number: int) -> None:
    file = tmp_path / "dropped.toml"
    terminal = open_terminal(str(file))
    terminal.wait("Nothing is written yet")
    terminal.send("ahalf a tho")
    terminal.wait("half a tho")
    os.kill(terminal.process.pid, number)
    assert terminal.ended() == 0
    assert saved(file)["message"][0]["text"] == "half a tho"


def test_leaving_is_quick_and_leaves_no_process(open_terminal: Open, tmp_path: Path) -> None:
    file = write(tmp_path / "quit.toml", "Count to one hundred.")
    terminal = open_terminal("--run", str(file))
    terminal.wait(lambda shown: re.search(r"starter · [1-9]\d* tok", shown))
    children = psutil.Process(terminal.process.pid).children(recursive=True)
    assert children
    terminal.send("q")
    terminal.wait("still coming")
    terminal.send("q")
    assert terminal.ended() == 0
    _gone, alive = psutil.wait_procs(children, timeout=PATIENCE_S)
    assert not alive
    assert saved(file)["message"][1]["take"][0]["finish"] == "cancelled"


def test_chinese(open_terminal: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    terminal = open_terminal(str(tmp_path / "zh.toml"))
    shown = terminal.wait(lambda shown: "还" in shown and "模" in shown)
    assert "SAMPLING" not in shown


def test_a_new_conversation_begins_as_a_copy(open_terminal: Open, tmp_path: Path) -> None:
    """The README's first command: the example stays as it is."""
    pattern = write(tmp_path / "pattern.toml", "What is the capital of France?")
    before = pattern.read_bytes()
    terminal = open_terminal("--run", "--from", str(pattern))
    terminal.wait(lambda shown: "Paris" in shown and "esc stop" not in shown)
    terminal.send("q")
    assert terminal.ended() == 0
    assert pattern.read_bytes() == before
    kept = list(Path(os.environ["QIAO_HOME"]).glob("data/untitled/*.toml"))
    assert len(kept) == 1
    assert "Paris" in saved(kept[0])["message"][1]["take"][0]["text"]


def test_two_models_answer_in_turn_without_reloading(
    open_terminal: Open, tmp_path: Path, starter: Path, starter_home: Path
) -> None:
    other = tmp_path / "models" / "Other.gguf"
    other.parent.mkdir()
    os.link(starter, other)
    (starter_home / "config.toml").write_text(f'[local]\ndirectories = ["{other.parent}"]\n')
    file = write(tmp_path / "two.toml", "What is the capital of France?")

    def engines() -> set[int]:
        children = psutil.Process(terminal.process.pid).children(recursive=True)
        return {child.pid for child in children if "qiao.backends.local.child" in child.cmdline()}

    terminal = open_terminal("--run", str(file))
    terminal.wait(lambda shown: "Paris" in shown and "esc stop" not in shown)
    first = engines()
    # The picker: the other one by its name.
    terminal.send("m/Oth\r")
    terminal.wait(lambda shown: "/ Oth" in shown and "▌ assistant" not in shown.partition("/ Oth")[0])
    terminal.send("j\r")
    wait_for_file(file, lambda d: d.get("model", "").endswith("Other.gguf"))
    terminal.send("r")
    terminal.wait(lambda shown: "‹2/2›" in shown and "Other.gguf · t 0" in shown)
    both = engines()
    assert first < both
    assert len(both) == 2
    # Back and forth: both stay where they are.
    for number, name in ((3, "starter"), (4, "Other.gguf")):
        terminal.send(f":Model: {name}\r")
        wait_for_file(file, lambda d, name=name: d["model"].endswith(name))
        terminal.send("r")
        terminal.wait(lambda shown, n=number, name=name: f"‹{n}/{n}›" in shown and f"{name} · t 0" in shown)
    assert engines() == both
    takes = wait_for_file(file, lambda d: len(d["message"][1]["take"]) == 4)["message"][1]["take"]
    assert [take["model"].rpartition("/")[2].removeprefix("local:") for take in takes] == ["starter", "Other.gguf"] * 2
    assert len({take["text"] for take in takes}) == 1


def test_a_dropped_line_and_a_folder_that_is_gone_still_lose_nothing(open_terminal: Open, tmp_path: Path) -> None:
    """Nobody can be asked any more: it ends, and what was written lies in the data folder."""
    folder = tmp_path / "gone"
    folder.mkdir()
    terminal = open_terminal(str(folder / "talk.toml"))
    terminal.wait("Nothing is written yet")
    terminal.send("ahalf a tho")
    terminal.wait("half a tho")
    shutil.rmtree(folder)
    os.kill(terminal.process.pid, signal.SIGHUP)
    assert terminal.ended() == 0
    rescued = list(Path(os.environ["QIAO_HOME"]).glob("data/rescued/*.toml"))
    assert [saved(path)["message"][0]["text"] for path in rescued] == ["half a tho"]
    again = open_terminal(str(tmp_path / "next.toml"))
    again.wait("could not be saved where it belongs")
