"""`qiao run` over a scripted backend: what is asked, what goes where, how it ends."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from qiao.backends.scripted import ScriptedBackend
from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.errors import BrokenOff
from qiao.workbench.seam import (
    REFUSALS,
    Alternative,
    Event,
    FailureKind,
    Finished,
    Progress,
    Request,
    Text,
    Token,
    Turn,
)

Qiao = Callable[..., Any]
Write = Callable[..., Path]

ANSWERED = Conversation(
    messages=(
        Message(role="system", text="Be brief."),
        Message(role="user", text="Hello, {{name}}?"),
        Message(role="assistant", takes=(Take(text="Hi"),), chosen=1),
    ),
    variables={"name": "Li Lei"},
    model="scripted:echo",
)
ASKED = ANSWERED.removed(2)


class TestAWindow:
    @pytest.fixture
    def scripted(self) -> ScriptedBackend:
        return ScriptedBackend(default="ok", context_length=60)

    @pytest.mark.parametrize("window", [None, "drop_oldest"])
    def test_what_does_not_fit_is_left_out_only_if_the_file_says_so(
        self, qiao: Qiao, write: Write, scripted: ScriptedBackend, window: Any
    ) -> None:
        said = [Message(role=role, text=f"{role} {i}") for i in range(9) for role in ("user", "assistant")]
        talk = Conversation(messages=(*said, Message(role="user", text="?")), model="scripted:echo", window=window)
        ended = qiao("run", str(write(talk)))
        sent = scripted.requests[0].messages
        assert (ended.code, ended.out, sent[-1].text) == (0, "ok\n", "?")
        if window is None:
            assert (len(sent), ended.err) == (19, "")
        else:
            assert ended.err == f"The {19 - len(sent)} oldest messages don't fit into the context and aren't sent.\n"
            assert sent[0].role == "user"
            shown = qiao("show", str(write(talk)))
            assert "user 0" not in shown.out
            assert ended.err in shown.err


class TestWhatIsAsked:
    def test_plain_text_from_stdin_is_one_user_message(self, qiao: Qiao, scripted: ScriptedBackend) -> None:
        scripted.enqueue("Paris.")
        ended = qiao("run", "-", "-m", "scripted:echo", stdin="What?\n\nReally?\n")
        assert ended == (0, "Paris.\n", "")
        assert scripted.requests[0].messages == (Turn("user", "What?\n\nReally?"),)

    @pytest.mark.parametrize(
        ("stdin", "text"),
        [(b"\xef\xbb\xbfhi\r\n", "hi"), (b"hi", "hi"), (b"hi \n\n", "hi \n"), (b'title = "TOML"\n', 'title = "TOML"')],
    )
    def test_only_the_last_line_feed_is_taken_away(
        self, qiao: Qiao, scripted: ScriptedBackend, stdin: bytes, text: str
    ) -> None:
        scripted.enqueue("ok")
        qiao("run", "-", "-m", "scripted:echo", stdin=stdin)
        assert scripted.requests[0].messages == (Turn("user", text),)

    def test_a_conversation_from_stdin(self, qiao: Qiao, scripted: ScriptedBackend, write: Write) -> None:
        scripted.enqueue("ok")
        assert qiao("run", "-", stdin=write(ASKED).read_bytes()).code == 0
        assert scripted.requests[0].messages == (Turn("system", "Be brief."), Turn("user", "Hello, Li Lei?"))
        assert str(scripted.requests[0].address) == "scripted:echo"

    def test_options_are_for_this_once(self, qiao: Qiao, scripted: ScriptedBackend, write: Write) -> None:
        path = write(ASKED)
        before = path.read_bytes()
        scripted.enqueue("ok")
        options = ["-m", "scripted:other", "--set", "temperature=0", "--set", "stop=END", "--var", "name=a={{name}}"]
        assert qiao("run", str(path), *options, "--system", "Be long.").code == 0
        request = scripted.requests[0]
        assert str(request.address) == "scripted:other"
        assert (request.sampling.temperature, request.sampling.stop) == (0, ("END",))
        assert request.messages == (Turn("system", "Be long."), Turn("user", "Hello, a={{name}}?"))
        assert path.read_bytes() == before

    def test_a_system_message_is_put_first(self, qiao: Qiao, scripted: ScriptedBackend) -> None:
        scripted.enqueue("ok")
        qiao("run", "-", "-m", "scripted:echo", "--system", "Be brief.", stdin="Hello?")
        assert scripted.requests[0].messages == (Turn("system", "Be brief."), Turn("user", "Hello?"))

    def test_the_configured_model_when_none_is_named(self, qiao: Qiao, scripted: ScriptedBackend, home: Path) -> None:
        home.mkdir()
        (home / "config.toml").write_text('model = "scripted:configured"\n')
        scripted.enqueue("ok")
        assert qiao("run", "-", stdin="Hello?").code == 0
        assert str(scripted.requests[0].address) == "scripted:configured"


class TestWhatGoesWhere:
    def test_a_pipe_gets_the_exact_text(self, qiao: Qiao, scripted: ScriptedBackend) -> None:
        text = "a\x1b[2J\x1b]52;c;eA==\x07 [red] \u202e é\r\n\u200b敲\ttab"
        scripted.enqueue(text)
        assert qiao("run", "-", "-m", "scripted:echo", stdin="?").out == text + "\n"

    def test_a_terminal_gets_it_safe(self, on_terminal: Qiao, scripted: ScriptedBackend) -> None:
        scripted.enqueue("a\x1b[2J\x9b \u202e 敲\n")
        code, out, err = on_terminal("run", "-", "-m", "scripted:echo", stdin="?")
        assert (code, out) == (0, "a␛[2J� ↔ 敲\n")
        assert err == ""

    def test_no_second_line_feed(self, qiao: Qiao, scripted: ScriptedBackend) -> None:
        scripted.enqueue("a\n")
        assert qiao("run", "-", "-m", "scripted:echo", stdin="?").out == "a\n"

    def test_thinking_is_no_answer(self, qiao: Qiao, on_terminal: Qiao, scripted: ScriptedBackend) -> None:
        scripted.enqueue("yes", thinking="hm\x1b[2J")
        assert qiao("run", "-", "-m", "scripted:echo", stdin="?") == (0, "yes\n", "")
        scripted.enqueue("yes", thinking="hm\x1b[2J")
        code, out, err = on_terminal("run", "-", "-m", "scripted:echo", stdin="?")
        assert (code, out) == (0, "yes\n")
        assert "hm" in err.replace("\x1b[2m", "").replace("\x1b[0m", "")
        assert "\x1b[2J" not in err

    def test_it_comes_as_it_is_made(
        self, scripted: ScriptedBackend, monkeypatch: pytest.MonkeyPatch, qiao: Qiao
    ) -> None:
        hold = threading.Event()
        scripted.enqueue("one two three", hold=hold)
        reader, writer = os.pipe()
        first: list[bytes] = []

        def look() -> None:
            first.append(os.read(reader, 100))
            hold.set()

        watching = threading.Thread(target=look)
        watching.start()
        with open(writer, "w") as stream:
            monkeypatch.setattr(sys, "stdout", stream)
            assert qiao("run", "-", "-m", "scripted:echo", stdin="?").code == 0
            watching.join()
        assert first == [b"one"]
        assert os.read(reader, 100) == b" two three\n"
        os.close(reader)

    def test_progress_is_rewritten_on_a_terminal_and_gone_before_the_answer(
        self, qiao: Qiao, on_terminal: Qiao, scripted: ScriptedBackend
    ) -> None:
        events: list[Event] = [Progress("loading", 1, 4), Text("yes"), Finished("stop")]
        scripted.enqueue(events)
        _, out, err = on_terminal("run", "-", "-m", "scripted:echo", stdin="?")
        assert out == "yes\n"
        assert err == "\rLoading scripted:echo  ██████░░░░░░░░░░░░░░░░░░   25%\x1b[K\r\x1b[K"
        scripted.enqueue(events)
        assert qiao("run", "-", "-m", "scripted:echo", stdin="?").err == ""

    def test_a_download_is_told_in_one_line_where_none_can_be_rewritten(
        self, qiao: Qiao, scripted: ScriptedBackend
    ) -> None:
        events = [*(Progress("fetching", i * 10**6, 98 * 10**6) for i in range(98)), Text("yes"), Finished("stop")]
        scripted.enqueue(events)
        assert qiao("run", "-", "-m", "scripted:echo", stdin="?").err == "Fetching scripted:echo (98 MB)\n"

    def test_an_answer_cut_off_says_so(self, qiao: Qiao, scripted: ScriptedBackend) -> None:
        scripted.enqueue("one two", finish="length")
        ended = qiao("run", "-", "-m", "scripted:echo", stdin="?")
        assert (ended.code, ended.out) == (0, "one two\n")
        assert ended.err == "Cut off after 2 tokens: max_tokens, or the context, was used up.\n"

    def test_an_empty_answer_says_so(self, qiao: Qiao, scripted: ScriptedBackend) -> None:
        scripted.enqueue("")
        assert qiao("run", "-", "-m", "scripted:echo", stdin="?") == (0, "", "The answer is empty.\n")

    def test_several_takes_come_one_after_the_other(self, qiao: Qiao, scripted: ScriptedBackend) -> None:
        for text in ("a", "b", "c"):
            scripted.enqueue(text)
        ended = qiao("run", "-", "-m", "scripted:echo", "--set", "n=3", "--set", "seed=7", stdin="?")
        assert ended == (0, "a\nb\nc\n", "— take 1 of 3 —\n— take 2 of 3 —\n— take 3 of 3 —\n")
        assert [request.sampling.seed for request in scripted.requests] == [7, 8, 9]


class TestJson:
    def test_one_object(self, qiao: Qiao, scripted: ScriptedBackend) -> None:
        scripted.enqueue("Paris \u202e.", thinking="hm")
        ended = qiao("run", "-", "-m", "scripted:echo", "--set", "temperature=0", "--json", stdin="?")
        assert (ended.code, ended.err) == (0, "")
        said = ended.json
        assert set(said) == {
            *("text", "thinking", "model", "sampling", "seed", "prefix", "left_out", "finish"),
            *("prompt_hash", "created", "usage", "timing"),
        }
        assert (said["text"], said["thinking"], said["model"]) == ("Paris \u202e.", "hm", "scripted:echo")
        assert (said["finish"], said["prefix"]) == ("stop", None)
        assert said["sampling"] == {"temperature": 0.0, "top_p": 1.0, "top_k": 0, "seed": said["seed"]}
        assert said["usage"]["prompt_tokens"] > 0
        assert said["usage"]["completion_tokens"] > 1
        assert said["usage"]["thinking_tokens"] == 1
        assert said["timing"]["total_ms"] >= said["timing"]["first_token_ms"] >= 0

    def test_how_likely_the_tokens_were_if_that_is_asked_for(self, qiao: Qiao, scripted: ScriptedBackend) -> None:
        paris = Token("Paris", -0.5, (Alternative("Paris", -0.5), Alternative("Lyon", -2.25)))
        scripted.enqueue([Text("Paris", 1, (paris,)), Finished("stop")])
        arguments = ("run", "-", "-m", "scripted:echo", "--json", "--set", "logprobs=2")
        assert qiao(*arguments, stdin="?").json["logprobs"] == [
            {
                "text": "Paris",
                "logprob": -0.5,
                "alternatives": [{"text": "Paris", "logprob": -0.5}, {"text": "Lyon", "logprob": -2.25}],
            }
        ]
        scripted.enqueue("The engine doesn't tell.")
        assert qiao(*arguments, stdin="?").json["logprobs"] is None

    def test_several_takes(self, qiao: Qiao, scripted: ScriptedBackend) -> None:
        scripted.enqueue("a")
        scripted.enqueue("b")
        said = qiao("run", "-", "-m", "scripted:echo", "--set", "n=2", "--json", stdin="?").json
        assert said["text"] == "a"
        assert [take["text"] for take in said["takes"]] == ["a", "b"]

    def test_a_failure_midway_keeps_what_arrived(self, qiao: Qiao, scripted: ScriptedBackend) -> None:
        scripted.enqueue("one two", fail="engine_died", message="It died.")
        ended = qiao("run", "-", "-m", "scripted:echo", "--json", stdin="?")
        assert ended.code == 4
        assert ended.json["error"] == {"kind": "engine_died", "message": "It died."}
        assert (ended.json["text"], ended.json["finish"]) == ("one two", "error")

    @pytest.mark.parametrize(
        ("arguments", "kind", "code"),
        [
            (["run", "--json"], "wrong_usage", 2),
            (["run", "gone.toml", "--json"], "unreadable", 2),
            (["run", "-", "--json", "--set", "heat=1"], "unreadable", 2),
            (["run", "-", "-m", "nobody:x", "--json"], "unknown_model", 3),
        ],
    )
    def test_errors_before_it_runs(self, qiao: Qiao, arguments: list[str], kind: str, code: int) -> None:
        ended = qiao(*arguments, stdin="?")
        assert (ended.code, ended.err) == (code, "")
        assert ended.json.keys() == {"error"}
        assert ended.json["error"]["kind"] == kind
        assert ended.json["error"]["message"]


class TestHowItEnds:
    @pytest.mark.parametrize("kind", sorted(REFUSALS))
    def test_refused(self, qiao: Qiao, scripted: ScriptedBackend, kind: FailureKind) -> None:
        scripted.enqueue("", fail=kind, message="No\x1b[2J\nthanks.")
        assert qiao("run", "-", "-m", "scripted:echo", stdin="?") == (3, "", "qiao: No␛[2J␊thanks.\n")

    @pytest.mark.parametrize("kind", ["engine_died", "out_of_memory", "context_too_long"])
    def test_broken_off_midway(self, qiao: Qiao, scripted: ScriptedBackend, kind: FailureKind) -> None:
        scripted.enqueue("one two", fail=kind, message="Gone.")
        assert qiao("run", "-", "-m", "scripted:echo", stdin="?") == (4, "one two\n", "qiao: Gone.\n")

    def test_broken_off_before_it_began(self, qiao: Qiao, scripted: ScriptedBackend) -> None:
        scripted.enqueue("", fail="engine_died", message="Gone.")
        assert qiao("run", "-", "-m", "scripted:echo", stdin="?") == (4, "", "qiao: Gone.\n")

    def test_a_backend_that_ends_without_a_word(self, qiao: Qiao, scripted: ScriptedBackend) -> None:
        scripted.enqueue([Text("one")])
        assert qiao("run", "-", "-m", "scripted:echo", stdin="?") == (4, "one\n", "qiao: The answer broke off.\n")

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (BrokenOff("asking.failed", message="Gone."), "Gone."),
            (RuntimeError("a\x1bb"), "RuntimeError: a␛b"),
            (BrokenPipeError("x"), "BrokenPipeError: x"),
        ],
    )
    def test_a_backend_that_raises_costs_nothing_that_arrived(
        self, qiao: Qiao, scripted: ScriptedBackend, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
    ) -> None:
        def generate(request: Request, stop: threading.Event) -> Iterator[Event]:
            yield Text("one")
            raise error

        monkeypatch.setattr(scripted, "generate", generate)
        assert qiao("run", "-", "-m", "scripted:echo", stdin="?") == (4, "one\n", f"qiao: {said}\n")

    def test_the_rest_of_several_takes_is_not_asked_for(self, qiao: Qiao, scripted: ScriptedBackend) -> None:
        scripted.enqueue("a")
        scripted.enqueue("b", fail="engine_died", message="Gone.")
        ended = qiao("run", "-", "-m", "scripted:echo", "--set", "n=3", stdin="?")
        assert (ended.code, ended.out) == (4, "a\nb\n")
        assert len(scripted.requests) == 2

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
    def test_interrupted_once_it_keeps_what_arrived(
        self,
        qiao: Qiao,
        scripted: ScriptedBackend,
        write: Write,
        read: Qiao,
        number: signal.Signals,
        code: int,
        request: pytest.FixtureRequest,
    ) -> None:
        path = write(ASKED)
        if signal.getsignal(number) is signal.SIG_IGN:
            # As under nohup, where qiao rightly ignores it too.
            request.addfinalizer(partial(signal.signal, number, signal.SIG_IGN))
            signal.signal(number, signal.SIG_DFL)
        handler = signal.getsignal(number)
        scripted.enqueue("one two three", hold=Interrupting(number))
        ended = qiao("run", str(path), "--save")
        assert ended == (code, "one\n", "qiao: Interrupted.\n")
        take = read(path).messages[2].take
        assert (take.text, take.finish) == ("one", "cancelled")
        assert signal.getsignal(number) is handler

    def test_interrupted_before_anything_arrived(
        self,
        qiao: Qiao,
        scripted: ScriptedBackend,
        write: Write,
        read: Qiao,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def generate(request: Request, stop: threading.Event) -> Iterator[Event]:
            yield Progress("loading", 1, 2)
            signal.raise_signal(signal.SIGINT)
            yield Finished("cancelled")

        path = write(ASKED)
        monkeypatch.setattr(scripted, "generate", generate)
        assert qiao("run", str(path), "--save") == (130, "", "qiao: Interrupted.\n")
        assert len(read(path).messages) == 2

    def test_interrupted_with_json(self, qiao: Qiao, scripted: ScriptedBackend) -> None:
        scripted.enqueue("one two", hold=Interrupting())
        ended = qiao("run", "-", "-m", "scripted:echo", "--json", stdin="?")
        assert ended.code == 130
        assert (ended.json["text"], ended.json["error"]["kind"]) == ("one", "interrupted")

    def test_interrupted_twice_it_ends_at_once(
        self, qiao: Qiao, scripted: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def generate(request: Request, stop: threading.Event) -> Iterator[Event]:
            yield Text("one")
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            yield Text("never")

        monkeypatch.setattr(scripted, "generate", generate)
        ended = qiao("run", "-", "-m", "scripted:echo", stdin="?")
        assert (ended.code, ended.out, ended.err) == (130, "one", "")
        assert scripted.closed


class Interrupting(threading.Event):
    """Holds an answer after its first piece, and sends this process a signal there."""

    def __init__(self, number: signal.Signals = signal.SIGINT) -> None:
        super().__init__()
        self._number = number

    def wait(self, timeout: float | None = None) -> bool:
        signal.raise_signal(self._number)
        return super().wait(timeout)


class TestWhatCanNotBeRead:
    @pytest.mark.parametrize(
        ("arguments", "stdin", "said"),
        [
            (["run", "gone.toml"], "", "gone.toml"),
            (["run", "-"], "", "no message"),
            (["run", "-"], " \n", "no message"),
            (["run", "-"], b"ab\xff", "byte 2"),
            (["run", "-"], 'qiao = 1\n[[message]]\nrole = "boss"\n', "message 1, role"),
            (["run", "-"], "{{name}}", "name"),
            (["run", "-", "-m", "starter"], "?", "starter"),
            (["run", "-", "-m", ":x"], "?", ":x"),
            (["run", "-", "--set", "temperature=hot"], "?", "hot"),
            (["run", "-", "--set", "heat=1"], "?", "top_p"),
            (["run", "-", "--var", "name"], "?", "NAME=VALUE"),
            (["run", "-", "--var", "a b=1"], "?", "NAME=VALUE"),
            (["run", "-", "--retake"], "?", "no assistant message"),
            (["run", "-", "--retake", "--continue"], "?", "--continue"),
            (["run", "-", "--tenperature", "0"], "?", "--tenperature"),
            (["run"], "", "FILE"),
        ],
    )
    def test_one_line_and_2(self, qiao: Qiao, arguments: list[str], stdin: str | bytes, said: str) -> None:
        ended = qiao(*arguments, stdin=stdin)
        assert (ended.code, ended.out) == (2, "")
        assert said in ended.err
        assert ended.err.startswith("qiao: ")
        assert ended.err.count("\n") == 1

    def test_outside_text_in_an_error_is_made_safe(self, qiao: Qiao) -> None:
        ended = qiao("run", "a\x1b[2J\nb.toml")
        assert ended.code == 2
        assert "\x1b" not in ended.err
        assert ended.err.count("\n") == 1


def test_errors_are_said_in_chinese_too(qiao: Qiao, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert qiao("run", "-", "--set", "heat=1", stdin="?").err.startswith("qiao：没有名为“heat”的采样参数。")
    assert qiao("run").err == "qiao：缺少参数：FILE。详见 qiao run --help。\n"


def test_the_configured_language_wins(qiao: Qiao, home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text('language = "zh"\n')
    assert qiao("run").err.startswith("qiao：")


def test_what_is_wrong_in_the_settings_is_told_and_costs_nothing(
    qiao: Qiao, scripted: ScriptedBackend, home: Path
) -> None:
    home.mkdir()
    (home / "config.toml").write_text('language = "zh"\nmodle = "x:y"\n')
    scripted.enqueue("好。")
    ended = qiao("run", "-", "-m", "scripted:echo", stdin="?")
    assert (ended.code, ended.out) == (0, "好。\n")
    assert "modle" in ended.err
    assert "已忽略" in ended.err


@pytest.mark.parametrize("text", ["x = " + "[" * 5000, "x = " + "9" * 5000])
def test_stdin_that_is_nearly_toml_is_a_message(qiao: Qiao, scripted: ScriptedBackend, text: str) -> None:
    scripted.enqueue("ok")
    assert qiao("run", "-", "-m", "scripted:echo", stdin=text).out == "ok\n"
    assert scripted.requests[0].messages == (Turn("user", text),)


def test_a_huge_number_of_the_engines_own_stands_in_the_json(qiao: Qiao, scripted: ScriptedBackend) -> None:
    scripted.enqueue("ok")
    ended = qiao("run", "-", "-m", "scripted:echo", "--set", f"extra={{a={10**30}}}", "--json", stdin="hi")
    assert (ended.code, ended.json["sampling"]["extra"]) == (0, {"a": 10**30})
