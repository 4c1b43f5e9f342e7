"""The real program killed with SIGKILL at random moments: what was on the screen a second before comes back.

QIAO_KILLS says how often (30 unless set); the moments are the same each time.
"""

import os
import random
import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps
from qiao.workbench.document import Document
from qiao.workbench.journal import orphans, restored

from ...patience import PATIENCE_S
from ..conftest import Terminal

KILLS = int(os.environ.get("QIAO_KILLS", "30"))
AT_ONCE = 3
PROGRAM = Path(__file__).parents[3] / "benchmarks" / "scripted_workbench.py"
WORD = re.compile(r"\b[ta]\d+\b")
LOST_SECONDS = 1.0
ANSWER = " ".join(f"a{n}" for n in range(400))


def drive(terminal: Terminal, moment: random.Random) -> set[str]:
    """Types and runs until a random moment, then kills. Returns the words that stood on the screen a second before.

    A machine that has no time for this loop has none for the program either: by how much the loop's own rests were
    overdrawn, at the worst, the second is longer.
    """
    end = time.monotonic() + moment.uniform(0.3, 4.0)
    runs_after, leaves_after = moment.randrange(5, 80), moment.randrange(5, 80)
    seen: list[tuple[float, set[str]]] = []
    number, stood_still = 0, 0.0
    terminal.send("a")
    while time.monotonic() < end:
        number += 1
        if number < runs_after:
            terminal.send(f"t{number} ")
            if number == leaves_after:
                # The draft becomes a message, and is saved; another one begins.
                terminal.send("\x1ba")
        elif number == runs_after:
            terminal.send("\x12")
        elif moment.random() < 0.1:
            terminal.send("w")
        rest, rested = moment.uniform(0.01, 0.06), time.monotonic()
        time.sleep(rest)
        # When it was asked, not when it was read: reading a screen takes its time on a busy machine.
        asked = time.monotonic()
        stood_still = max(stood_still, asked - rested - rest)
        seen.append((asked, set(WORD.findall(terminal.text()))))
    terminal.process.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    terminal.process.wait(PATIENCE_S)
    return set().union(*(words for when, words in seen if when < killed - LOST_SECONDS - stood_still))


def kill_once(number: int, folder: Path) -> tuple[int, set[str]]:
    """One kill. Returns how many words were to come back, and which of them didn't."""
    moment = random.Random(number)
    folder.mkdir()
    file = folder / "talk.toml"
    file.write_bytes(dumps(Conversation(messages=(Message(role="user", text="Go."),))))
    # One of its own: whoever starts next brings back what was left.
    home = folder / "home"
    answer = folder / "answer.txt"
    answer.write_text(ANSWER)
    terminal = Terminal(str(file), "--answer", str(answer), "--tokens-per-second", "40", program=PROGRAM, home=home)
    try:
        terminal.wait("Go.")
        expected = drive(terminal, moment)
    finally:
        terminal.close()
    document = Document.open(file)
    conversation = document.conversation
    for left in orphans(home / "data" / "journal"):
        assert left.document == file
        conversation = restored(conversation, left)
        left.settle()
    texts = [text for m in conversation.messages for text in (m.text, *(take.text for take in m.takes))]
    words = {word for text in texts for word in WORD.findall(text)}
    strays = [path.name for path in folder.iterdir() if path.suffix == ".toml" and not _readable(path)]
    assert not strays
    return len(expected), expected - words


def _readable(path: Path) -> bool:
    return bool(Document.open(path).conversation.messages)


def test_what_stood_on_the_screen_a_second_before_a_kill_comes_back(tmp_path: Path) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda number: kill_once(number, tmp_path / str(number)), range(KILLS)))
    lost = {number: missing for number, (_, missing) in enumerate(outcomes) if missing}
    assert not lost
    # Most of them are killed late enough that there is something to come back.
    assert sum(count > 0 for count, _ in outcomes) > KILLS / 3


def test_the_next_start_brings_it_back_and_u_takes_it_away(tmp_path: Path) -> None:
    file, home = tmp_path / "talk.toml", tmp_path / "home"
    file.write_bytes(dumps(Conversation(messages=(Message(role="user", text="Go."),))))
    first = Terminal(str(file), program=PROGRAM, home=home)
    try:
        first.wait("Go.")
        first.send("aHalf a thought 思路")
        first.wait("Half a thought 思路")
        wait_until(lambda: any("路" in path.read_text() for path in (home / "data" / "journal").glob("*.jsonl")))
    finally:
        first.process.send_signal(signal.SIGKILL)
        first.close()
    # Started on another file: what was left comes back in a conversation of its own.
    second = Terminal(str(tmp_path / "other.toml"), program=PROGRAM, home=home)
    try:
        second.wait("Brought back")
        second.send("]")
        second.wait("Half a thought 思路")
        wait_until(lambda: "思路" in file.read_text())
        wait_until(lambda: not list((home / "data" / "journal").iterdir()))
        second.send("u")
        wait_until(lambda: "思路" not in file.read_text())
    finally:
        second.close()


def test_a_page_for_a_base_model_comes_back_as_it_stood(tmp_path: Path) -> None:
    file, home, answer = tmp_path / "talk.toml", tmp_path / "home", tmp_path / "answer.txt"
    file.write_bytes(dumps(Conversation(messages=(Message(role="user", text="从前"),))))
    answer.write_text("有座山")
    options = ("--base", "--answer", str(answer))
    first = Terminal(str(file), *options, program=PROGRAM, home=home)
    try:
        first.wait("the whole text, as it is sent")
        first.send("p")
        first.wait("从前有座山")
        wait_until(lambda: "有座山" in file.read_text())
        first.send("e")
        first.wait("editing")
        first.send("，山里有座庙")
        first.wait("山里有座庙")
        wait_until(lambda: any("庙" in path.read_text() for path in (home / "data" / "journal").glob("*.jsonl")))
    finally:
        first.process.send_signal(signal.SIGKILL)
        first.close()
    second = Terminal(str(file), *options, program=PROGRAM, home=home)
    try:
        second.wait("从前有座山，山里有座庙")
        wait_until(lambda: "有座庙" in file.read_text())
        messages = Document.open(file).conversation.messages
        assert [message.said for message in messages] == ["从前", "有座山", "，山里有座庙"]
        assert len(messages[1].takes) == 1
    finally:
        second.close()


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
