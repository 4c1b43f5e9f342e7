"""What the workbench writes to its terminal: bytes a streamed token, a typed character, a moved selection, idle.

    python benchmarks/wire.py [--columns 120] [--rows 40] [--tokens 1200] [--seconds 10]

The real workbench in a real pty, once with frames compared and once with them sent as Textual wrote them.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from terminal import Terminal

from qiao.backends.scripted import tokens
from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps

CHILD = Path(__file__).with_name("scripted_workbench.py")
PACE = 60.0
"""Tokens a second."""
TYPED = "The quick brown fox jumps over the lazy dog, and the dog lets it. "
ROWS = {
    "token": ("bytes a streamed token", 300),
    "token_cpu": ("CPU a streamed token, ms", None),
    "character": ("bytes a typed character", 300),
    "selection": ("bytes a moved selection", None),
    "closed": ("bytes a second, idle, sensors closed", 50),
    "open": ("bytes a second, idle, sensors open", 400),
}

WORDS = (
    "weighing every word is slow work and a good prompt mostly that one changed the answer read again difference seen "
    "question names its audience gets shorter better purpose 推敲 二字 出自 贾岛的故事： 僧推月下门， 还是 僧敲月下门？"
)


def answer_of(count: int) -> str:
    """Paragraphs of so many tokens, always the same ones; no two lines are alike."""
    chance = random.Random(1)
    text = ""
    while len(tokens(text)) < count:
        text += " ".join(chance.choices(WORDS.split(), k=chance.randint(20, 90))).capitalize() + ".\n\n"
    return "".join(tokens(text)[:count]).strip()


def measure(options: argparse.Namespace, environment: Mapping[str, str]) -> dict[str, float]:
    """One run of everything."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        answer = home / "answer.txt"
        answer.write_text(answer_of(options.tokens), encoding="utf-8")
        talk = home / "talk.toml"
        messages = [Message(role="system", text="Be brief."), Message(role="user", text="What is a good prompt?")]
        talk.write_bytes(dumps(Conversation(messages=tuple(messages))))
        arguments = [sys.executable, str(CHILD), str(talk), "--answer", str(answer)]
        environment = {"QIAO_HOME": str(home / "home"), **environment}
        # The side panes fold away on a small terminal.
        with Terminal(arguments, columns=80, rows=24, environment=environment) as terminal:
            _begin(terminal)
            closed = _a_second(terminal, options.seconds)
        with Terminal(arguments, columns=options.columns, rows=options.rows, environment=environment) as terminal:
            return {"closed": closed, **_drive(terminal, options)}


def _begin(terminal: Terminal) -> None:
    terminal.wait("What is a good prompt?")
    terminal.wait("saved")
    terminal.wait("CPU" if terminal.columns < 110 else "MACHINE")
    time.sleep(2)


def _drive(terminal: Terminal, options: argparse.Namespace) -> dict[str, float]:
    found: dict[str, float] = {}
    _begin(terminal)
    found["open"] = _a_second(terminal, options.seconds)

    def stream() -> None:
        terminal.send("r")
        terminal.wait("esc stop")
        terminal.wait(lambda shown: "esc stop" not in shown and "· stop" in shown, options.tokens / PACE * 2 + 30)

    spent = terminal.spent(stream)
    found["token"] = spent.written / options.tokens
    found["token_cpu"] = spent.cpu_seconds / options.tokens * 1000
    terminal.settle()

    def move() -> None:
        for key in "kkjkjkjkjk":
            terminal.send(key)
            time.sleep(0.1)

    found["selection"] = terminal.spent(move).written / 10
    terminal.send("a")
    terminal.wait("editing")
    terminal.settle()

    def type_on() -> None:
        for character in TYPED * 2:
            terminal.send(character)
            time.sleep(0.06)
        time.sleep(0.3)

    found["character"] = terminal.spent(type_on).written / len(TYPED * 2)
    return found


def _a_second(terminal: Terminal, seconds: float) -> float:
    spent = terminal.spend(seconds)
    return spent.written / spent.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--rows", type=int, default=40)
    parser.add_argument("--tokens", type=int, default=1200)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    compared = measure(options, {"QIAO_PLAIN_FRAMES": ""})
    plain = measure(options, {"QIAO_PLAIN_FRAMES": "1"})
    print(f"| {options.columns} × {options.rows} | compared | plain | ratio | budget |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for key, (words, budget) in ROWS.items():
        ratio = compared[key] / plain[key] if plain[key] else 1.0
        print(
            f"| {words} | {compared[key]:.1f} | {plain[key]:.1f} | {ratio:.2f} | {'' if budget is None else budget} |"
        )


if __name__ == "__main__":
    main()
