"""`qiao show` over a scripted backend."""

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qiao.backends.local import starter
from qiao.backends.scripted import ScriptedBackend
from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.errors import Refused
from qiao.workbench.seam import Progress, Request

Qiao = Callable[..., Any]
Write = Callable[..., Path]

TALK = Conversation(
    messages=(
        Message(role="user", text="Hello\x1b[2J, {{name}}?"),
        Message(role="assistant", takes=(Take(text="Hi"),), chosen=1),
    ),
    variables={"name": "Li Lei"},
    model="scripted:echo",
)
ASKED = TALK.removed(1)

USER = "<|im_start|>user\nHello\x1b[2J, Li Lei?<|im_end|>\n"


def test_a_pipe_gets_the_exact_text(qiao: Qiao, write: Write) -> None:
    ended = qiao("show", str(write(ASKED)))
    assert (ended.code, ended.out) == (0, f"{USER}<|im_start|>assistant\n")
    assert ended.err.endswith(" tokens of a context of 4096\n")


def test_no_line_feed_is_added(qiao: Qiao, write: Write) -> None:
    assert qiao("show", str(write(TALK)), "--continue").out == f"{USER}<|im_start|>assistant\nHi"


def test_a_terminal_gets_it_safe_with_special_tokens_coloured(on_terminal: Qiao, write: Write) -> None:
    code, out, _ = on_terminal("show", str(write(TALK)), "--continue")
    assert code == 0
    start, end = "\x1b[36m<|im_start|>\x1b[0m", "\x1b[36m<|im_end|>\x1b[0m"
    assert out == f"{start}user\nHello␛[2J, Li Lei?{end}\n{start}assistant\nHi\n"


def test_no_color_is_respected(on_terminal: Qiao, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in on_terminal("show", str(write(TALK)))[1]


def test_an_answer_at_the_end_is_shown_too(qiao: Qiao, write: Write) -> None:
    path = str(write(TALK))
    whole = f"{USER}<|im_start|>assistant\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert qiao("show", path).out == whole
    assert qiao("show", path, "--retake").out == f"{USER}<|im_start|>assistant\n"


def test_json(qiao: Qiao, write: Write) -> None:
    ended = qiao("show", str(write(ASKED)), "--json")
    said = ended.json
    assert (ended.code, ended.err) == (0, "")
    assert (said["model"], said["mode"], said["context_length"]) == ("scripted:echo", "chat", 4096)
    assert said["text"] == "".join(piece["text"] for piece in said["pieces"])
    assert said["pieces"][0] == {"text": "<|im_start|>", "special": True}
    assert said["tokens"] > 0
    (message,) = said["messages"]
    assert said["text"][message["start"] : message["end"]] == "Hello\x1b[2J, Li Lei?"
    assert 0 < message["tokens"] < said["tokens"]


class TestABaseModel:
    @pytest.fixture
    def scripted(self) -> ScriptedBackend:
        return ScriptedBackend(kind="base")

    def test_says_that_it_only_completes(self, qiao: Qiao) -> None:
        ended = qiao("show", "-", "-m", "scripted:echo", stdin="Once upon")
        assert (ended.code, ended.out) == (0, "Once upon")
        assert ended.err.startswith("scripted:echo is a base model: plain completion")


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [(["gone.toml"], "", 2), (["-"], "{{name}}", 2), (["-", "-m", "nobody:x"], "?", 3), (["-", "--save"], "?", 2)],
)
def test_what_can_not_be_shown(qiao: Qiao, arguments: list[str], stdin: str, code: int) -> None:
    ended = qiao("show", *arguments, stdin=stdin)
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.count("\n") == 1


def test_a_refusal_of_the_model(qiao: Qiao, scripted: ScriptedBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    def prompt(*_: object) -> None:
        raise Refused("asking.failed", message="No such roles.")

    monkeypatch.setattr(scripted, "prompt", prompt)
    assert qiao("show", "-", "-m", "scripted:echo", stdin="?") == (3, "", "qiao: No such roles.\n")
    assert qiao("show", "-", "-m", "scripted:echo", "--json", stdin="?").json == {
        "error": {"kind": "refused", "message": "No such roles."}
    }


def test_interrupted(qiao: Qiao, scripted: ScriptedBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    def prompt(request: Request, stop: threading.Event) -> None:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        raise Refused("asking.failed", message="No answer.")

    monkeypatch.setattr(scripted, "prompt", prompt)
    assert qiao("show", "-", "-m", "scripted:echo", stdin="?") == (130, "", "qiao: Interrupted.\n")
    assert qiao("show", "-", "-m", "scripted:echo", "--json", stdin="?").json["error"]["kind"] == "interrupted"


def test_the_starter_is_fetched_with_progress(qiao: Qiao, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(stop: threading.Event) -> Iterator[Progress]:
        yield Progress("fetching", 0, 93_000_000)
        raise Refused("asking.failed", message="No network.")

    monkeypatch.setattr(starter, "fetch", fetch)
    ended = qiao("show", "-", "-m", "local:starter", stdin="?")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err == "Fetching local:starter (93 MB)\nqiao: No network.\n"
