"""The workbench driven by keys alone: what is shown, what is sent, and what is in the file."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend
from qiao.tui import keeper
from qiao.tui.actions import ACTIONS
from qiao.tui.app import QiaoApp
from qiao.tui.glyphs import glyphs
from qiao.tui.session import Session
from qiao.workbench import words
from qiao.workbench.config import Config
from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.conversation_file import dumps, loads
from qiao.workbench.document import Document
from qiao.workbench.sampling import Sampling

PATIENCE = 20.0
WIDE, NARROW = (120, 40), (80, 24)


def in_loop(test: Callable[..., Coroutine[object, object, None]]) -> Callable[..., None]:
    """Runs an asynchronous test to its end."""

    @wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "talk.toml"


class Bench:
    """The program while a test drives it."""

    def __init__(self, app: QiaoApp, pilot: Pilot[int], scripted: ScriptedBackend, path: Path | None) -> None:
        self.app = app
        self.pilot = pilot
        self.scripted = scripted
        self.path = path

    @property
    def session(self) -> Session:
        return self.app.workbench.session

    def lines(self) -> list[str]:
        """The screen as a person sees it."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    def text(self) -> str:
        return "\n".join(self.lines())

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if char == " " else char for char in text))

    async def paste(self, text: str) -> None:
        """As a terminal does: to whatever has the focus."""
        self.app.post_message(events.Paste(text.replace("\n", "\r")))
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"waited for {what or condition}; the screen shows:\n{self.text()}"
            await self.pilot.pause(0.01)

    async def see(self, *texts: str) -> None:
        """Waits until all of these are on the screen."""
        for text in texts:
            await self.until(lambda text=text: text in self.text(), f"{text!r}")

    async def miss(self, text: str) -> None:
        """Waits until this isn't on the screen any more."""
        await self.until(lambda: text not in self.text(), f"{text!r} to go")

    def on_disk(self, path: Path | None = None) -> Conversation:
        file = path or self.path
        assert file is not None
        return loads(file.read_bytes(), str(file)).conversation

    def said(self, path: Path | None = None) -> list[tuple[str, str]]:
        return [(message.role, message.said) for message in self.on_disk(path).messages]

    async def saved(self, *messages: tuple[str, str], path: Path | None = None) -> None:
        """Waits until these messages are in the file."""
        file = path or self.path
        assert file is not None
        await self.until(lambda: file.exists() and self.said(path) == list(messages), f"{messages} in the file")

    async def idle(self) -> None:
        """Waits until no answer is coming."""
        await self.until(lambda: not any(s.runs for s in self.app.workbench.sessions), "all answers to be there")


def talk(*messages: tuple[str, str], **fields: object) -> Conversation:
    made = tuple(Message(role=role, text=text) for role, text in messages)  # pyright: ignore[reportArgumentType]
    return Conversation(messages=made, **fields)  # pyright: ignore[reportArgumentType]


@asynccontextmanager
async def workbench(
    conversation: Conversation | None,
    *paths: Path,
    size: tuple[int, int] = WIDE,
    scripted: ScriptedBackend | None = None,
    config: Config | None = None,
) -> AsyncIterator[Bench]:
    """The workbench on these files; the first one is made of the conversation. Without files, on an untitled one."""
    if conversation is not None and paths:
        paths[0].write_bytes(dumps(conversation))
    config = config or Config(model="scripted:echo")
    scripted = scripted or ScriptedBackend(("echo", "other"))
    documents = [Document.open(path) for path in paths] or [Document.untitled(conversation)]
    backends = Backends(config, extra={"scripted": scripted})
    app = QiaoApp([Session(document) for document in documents], backends, config)
    async with app.run_test(size=size, notifications=True) as pilot:
        bench = Bench(app, pilot, scripted, paths[0] if paths else None)
        await bench.until(lambda: not app.workbench.looking, "the models")
        yield bench


HELLO = (("system", "Be brief."), ("user", "Capital of France?"))

# Answers


@in_loop
async def test_a_question_is_answered_streaming_and_saved(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.see("Be brief.", "Capital of France?", "saved")
        hold = threading.Event()
        bench.scripted.enqueue("Is *Paris*, of course.", hold=hold)
        await bench.press("r")
        await bench.see("Is", "1 tok", "esc stop")
        hold.set()
        await bench.see("Is Paris, of course.", "echo · t 1", "stop")
        await bench.saved(*HELLO, ("assistant", "Is *Paris*, of course."))
        take = bench.on_disk().messages[2].takes[0]
        assert (take.model, take.finish) == ("scripted:echo", "stop")
        assert take.usage is not None
        assert take.usage.prompt_tokens


@in_loop
async def test_an_answer_stopped_half_way_is_kept_and_says_so(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris is the capital", hold=threading.Event())
        await bench.press("r")
        await bench.see("Paris")
        await bench.press("escape")
        await bench.see("stopped by you")
        await bench.saved(*HELLO, ("assistant", "Paris"))
        bench.scripted.enqueue("Paris.")
        await bench.press("r")
        await bench.see("2/2", "Paris.")
        await bench.idle()
        await bench.press("h")
        await bench.see("1/2", "stopped by you")
        await bench.press("l")
        await bench.see("2/2")


@in_loop
async def test_an_answer_stopped_before_a_word_leaves_nothing(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("never", delay_ms=60_000)
        await bench.press("r")
        await bench.see("esc stop")
        await bench.press("ctrl+c")
        await bench.idle()
        await bench.miss("esc stop")
        assert bench.said() == list(HELLO)
        assert not bench.session.document.can_undo


@in_loop
async def test_editing_the_question_shows_the_answer_as_stale(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris.")
        await bench.press("r")
        await bench.see("Paris.")
        await bench.idle()
        await bench.press("k", "e")
        await bench.type(" And Spain?")
        await bench.press("escape")
        await bench.see("Capital of France? And Spain?", "stale: what it answers has changed")
        await bench.saved(HELLO[0], ("user", "Capital of France? And Spain?"), ("assistant", "Paris."))
        await bench.press("u")
        await bench.miss("stale")
        await bench.see("undone: edit")
        await bench.press("U")
        await bench.see("stale")


@in_loop
async def test_an_error_is_a_state_and_can_be_tried_again(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Par", fail="engine_died", message="The engine [red]ended\x1b[2J.")
        await bench.press("r")
        await bench.see("Par", f"{glyphs.failed} The engine [red]ended␛[2J.", "broke off")
        await bench.until(lambda: len(bench.on_disk().messages) == 3)
        take = bench.on_disk().messages[2].takes[0]
        assert take.text == "Par"
        assert take.error is not None
        bench.scripted.enqueue("is.")
        await bench.press("p")
        await bench.see("2/2", "Paris.")
        await bench.idle()
        assert bench.scripted.requests[1].continue_last


@in_loop
async def test_an_unknown_model_is_an_error_in_its_place(path: Path) -> None:
    async with workbench(talk(*HELLO, model="nobody:x"), path) as bench:
        await bench.press("r")
        await bench.see(glyphs.failed, "nobody", "broke off")
        await bench.press("u")
        await bench.until(lambda: len(bench.session.messages) == 2)


@in_loop
async def test_several_takes_are_made_one_after_the_other(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        for text in ("one", "two"):
            bench.scripted.enqueue(text)
        await bench.press("N")
        await bench.see("How many takes?")
        await bench.press("backspace", "2", "enter")
        await bench.see("2/2")
        await bench.idle()
        await bench.until(lambda: len(bench.on_disk().messages) == 3 and len(bench.on_disk().messages[2].takes) == 2)
        await bench.press("N")
        await bench.see("How many takes?")
        await bench.press("backspace", "x", "enter")
        await bench.see("A whole number from 1 to 128")
        assert len(bench.scripted.requests) == 2


@in_loop
async def test_answers_are_walked_folded_and_looked_into(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris.", thinking="The user asks about France.")
        await bench.press("r")
        await bench.see(f"{glyphs.folded} thought")
        await bench.idle()
        assert "The user asks" not in bench.text()
        await bench.press("z")
        await bench.see("The user asks about France.")
        await bench.press("z")
        await bench.miss("The user asks about France.")
        await bench.press("v")
        await bench.see("<|im_start|>", "Capital of France?", "chat template", "of 4,096 tokens")
        await bench.press("escape")
        await bench.miss("<|im_start|>")
        assert len(bench.scripted.requests) == 1, "looking asks for no answer"


# Editing


@in_loop
async def test_a_conversation_is_written_from_nothing(path: Path) -> None:
    async with workbench(None, path) as bench:
        await bench.see("Nothing is written yet.")
        await bench.press("a")
        await bench.see("user  editing")
        await bench.type("Hi")
        await bench.press("escape", "i")
        await bench.see("system  editing")
        await bench.type("Be brief.")
        await bench.press("escape", "j", "e")
        bench.scripted.enqueue("Hello.")
        await bench.type("!")
        await bench.press("ctrl+r")
        await bench.see("Hello.")
        await bench.saved(("system", "Be brief."), ("user", "Hi!"), ("assistant", "Hello."))


@in_loop
async def test_each_edit_has_its_key_and_can_be_undone(path: Path) -> None:
    start = talk(("user", "one"), ("user", "two"), ("user", "three"))
    async with workbench(start, path) as bench:

        def texts() -> list[str]:
            return [message.said for message in bench.session.messages]

        await bench.press("k", "J")
        assert texts() == ["one", "three", "two"]
        await bench.press("K", "K")
        assert texts() == ["two", "one", "three"]
        await bench.press("d")
        assert texts() == ["one", "three"]
        await bench.press("g", "ampersand")
        assert texts() == ["one\n\nthree"]
        await bench.press("M")
        await bench.see("muted, not sent")
        await bench.press("t")
        await bench.see("assistant")
        await bench.saved(("assistant", "one\n\nthree"))
        for _ in range(7):
            await bench.press("u")
        assert texts() == ["one", "two", "three"]
        await bench.press("u")
        await bench.see("nothing to undo")
        for _ in range(7):
            await bench.press("U")
        assert texts() == ["one\n\nthree"]
        await bench.press("ctrl+y")
        await bench.see("nothing to redo")


@in_loop
async def test_a_message_is_split_at_the_caret(path: Path) -> None:
    async with workbench(talk(("user", "one two")), path) as bench:
        await bench.press("e", *["left"] * 4, "ctrl+x")
        await bench.saved(("user", "one"), ("user", " two"))
        assert bench.session.index == 1
        await bench.press("u")
        await bench.saved(("user", "one two"))


@in_loop
async def test_an_added_message_left_empty_was_never_there(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("a")
        await bench.see("editing")
        await bench.press("escape")
        await bench.miss("editing")
        assert [m.said for m in bench.session.messages] == [text for _role, text in HELLO]
        assert bench.session.index == 1
        assert not bench.session.document.can_undo


@in_loop
async def test_lines_pasted_while_moving_run_no_keys(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.paste("dd\nq\nr rr")
        await bench.see("editing")
        await bench.press("escape")
        await bench.saved(*HELLO, ("user", "dd\nq\nr rr"))
        assert not bench.scripted.requests


@in_loop
async def test_a_message_is_copied_and_pasted_below(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("P")
        await bench.see("Nothing was copied in Qiao yet")
        await bench.press("y")
        await bench.see("copied, 18 characters")
        assert bench.app.clipboard == "Capital of France?"
        await bench.press("P")
        await bench.saved(*HELLO, ("assistant", "Capital of France?"))


@in_loop
async def test_hostile_text_is_shown_as_text_and_survives(path: Path) -> None:
    text = "[red]x[/] \x1b[2J\x1b]52;c;aGk=\x07 \u202egnp \r\n 中文 👩\u200d👩\u200d👧 \x9b0m"
    async with workbench(talk(("user", text)), path) as bench:
        await bench.see("[red]x[/] ␛[2J␛]52;c;aGk=␇ ↔gnp")
        await bench.press("e")
        await bench.see("editing")
        await bench.type("!")
        await bench.press("escape")
        await bench.saved(("user", text + "!"))
        assert not [char for char in bench.text() if not char.isprintable() and char != "\n"]


@in_loop
async def test_chinese_is_written_and_shown(path: Path) -> None:
    async with workbench(None, path, config=Config(model="scripted:echo")) as bench:
        words.choose("zh")
        await bench.press("a")
        await bench.see("编辑中")
        for char in "推敲，字字推敲。":
            bench.app.post_message(events.Key(char, char))
        await bench.pilot.pause()
        await bench.press("escape")
        await bench.see("用户", "推敲，字字推敲。")
        await bench.saved(("user", "推敲，字字推敲。"))
        assert all(strip.cell_length == 120 for strip in bench.app.screen._compositor.render_strips())


@in_loop
async def test_full_width_keys_count_and_other_wide_text_hints(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris.")
        bench.app.post_message(events.Key("ｒ", "ｒ"))
        await bench.see("Paris.")
        await bench.idle()
        bench.app.post_message(events.Key("中", "中"))
        await bench.see("Your input method is on")
        bench.app.post_message(events.Key("？", "？"))
        await bench.see("KEYS")
        assert [m.said for m in bench.session.messages][-1] == "Paris."


# Sampling, variables, models


async def choose_row(bench: Bench, name: str) -> None:
    """Moves down the focused list to the row that is called so."""
    rows = bench.app.focused
    for _ in range(60):
        key = getattr(rows, "selected_key", None)
        if getattr(key, "name", None) == name:
            return
        await bench.press("j")
    raise AssertionError(f"no row {name}")


@in_loop
async def test_sampling_is_typed_stepped_and_unset(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("s", "enter", *"0.3", "enter")
        await bench.until(lambda: bench.on_disk().sampling == Sampling(temperature=0.3))
        await bench.press("l", "l", "h")
        await bench.until(lambda: bench.on_disk().sampling == Sampling(temperature=0.4))
        await choose_row(bench, "max_tokens")
        await bench.press("e", *"64", "enter")
        await bench.until(lambda: bench.on_disk().sampling == Sampling(temperature=0.4, max_tokens=64))
        await bench.press("d")
        await bench.until(lambda: bench.on_disk().sampling == Sampling(temperature=0.4))
        await choose_row(bench, "stop")
        await bench.press("enter")
        await bench.type('["a", "b"]')
        await bench.press("enter")
        await bench.until(lambda: bench.on_disk().sampling.stop == ("a", "b"))
        await choose_row(bench, "thinking")
        await bench.press("enter")
        await bench.until(lambda: bench.on_disk().sampling.thinking is True)
        bench.scripted.enqueue("Paris.")
        await bench.press("escape", "r")
        await bench.see("t 0.4")
        sent = bench.scripted.requests[0].sampling
        assert (sent.temperature, sent.stop, sent.thinking) == (0.4, ("a", "b"), True)
        assert sent.seed is not None


@in_loop
async def test_a_wrong_value_is_said_and_nothing_is_lost(path: Path) -> None:
    async with workbench(talk(*HELLO, sampling=Sampling(temperature=0.5)), path) as bench:
        for wrong in ("hot", "-1", "nan"):
            await bench.press("s", "enter", *["backspace"] * 5)
            await bench.type(wrong)
            await bench.press("enter")
            await bench.see("temperature")
            await bench.until(lambda: any("Toast" in type(w).__name__ for w in bench.app.screen.walk_children()))
            assert bench.session.conversation.sampling == Sampling(temperature=0.5)
        await bench.press("enter", "9", "escape")
        assert bench.session.conversation.sampling == Sampling(temperature=0.5)
        assert not bench.session.document.can_undo


@in_loop
async def test_a_variable_is_given_its_value(path: Path) -> None:
    async with workbench(talk(("user", "Dear {{name}}")), path) as bench:
        await bench.see("VARIABLES", "no value")
        await bench.press("r")
        await bench.see("name")
        assert not bench.scripted.requests
        bench.scripted.enqueue("Hello.")
        await bench.press("V", "enter")
        await bench.type("Li Lei")
        await bench.press("enter")
        await bench.see("Dear Li Lei")
        await bench.press("escape", "r")
        await bench.see("Hello.")
        assert bench.scripted.requests[0].messages[0].text == "Dear Li Lei"
        await bench.until(lambda: bench.on_disk().variables == {"name": "Li Lei"})
        assert bench.on_disk().messages[0].text == "Dear {{name}}"


@in_loop
async def test_a_model_is_filtered_and_chosen(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.see("scripted", "echo", "other", "starter")
        await bench.press("m", "slash")
        await bench.type("oth")
        await bench.miss("starter")
        await bench.press("enter", "enter")
        await bench.until(lambda: bench.on_disk().model == "scripted:other")
        bench.scripted.enqueue("Paris.")
        await bench.press("escape", "r")
        await bench.see("other · t 1")
        assert str(bench.scripted.requests[0].address) == "scripted:other"
        await bench.press("m", "x")
        await bench.until(lambda: bench.scripted.unloaded, "the model to be unloaded")


@in_loop
async def test_tab_goes_round_the_panes(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        seen: list[str | None] = []
        for _ in range(4):
            assert bench.app.focused is not None
            seen.append(bench.app.focused.id)
            await bench.press("tab")
        assert seen == ["transcript", "model-rows", "sampling-rows", "transcript"]


@in_loop
async def test_at_80_by_24_the_side_panes_are_overlays(path: Path) -> None:
    async with workbench(talk(*HELLO), path, size=NARROW) as bench:
        await bench.see("Capital of France?")
        assert "MODELS" not in bench.text()
        assert "SAMPLING" not in bench.text()
        await bench.press("m")
        await bench.see("MODELS", "echo")
        await bench.press("escape")
        await bench.miss("MODELS")
        await bench.press("s")
        await bench.see("SAMPLING", "temperature")
        await bench.press("enter", *"0.3", "enter")
        await bench.until(lambda: bench.on_disk().sampling.temperature == 0.3)
        await bench.press("escape")
        await bench.miss("SAMPLING")
        bench.scripted.enqueue("Paris.")
        await bench.press("r")
        await bench.see("Paris.")
        assert all(len(line) <= 80 for line in bench.lines())


# The screen itself


@in_loop
async def test_the_help_lists_every_action(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("question_mark")
        await bench.see("KEYS")
        seen = bench.text()
        for _ in range(20):
            await bench.press("pagedown")
            seen += "\n" + bench.text()
            if "finds any of these by name" in bench.text():
                break
        missing = [action.id for action in ACTIONS if action.help not in seen]
        assert not missing
        await bench.press("q")
        await bench.see("Capital of France?")


@in_loop
async def test_the_palette_finds_actions_models_and_themes(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("colon")
        await bench.see("any action, model or theme")
        await bench.type("paper")
        await bench.see("Theme: ")
        await bench.press("down", "enter")
        await bench.until(lambda: bench.app.theme == "paper", "the theme")
        await bench.press("ctrl+p")
        await bench.see("any action, model or theme")
        await bench.type("scripted:other")
        await bench.see("Model: scripted:other")
        await bench.press("down", "enter")
        await bench.until(lambda: bench.on_disk().model == "scripted:other")


@in_loop
async def test_themes_go_round(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        before = bench.text()
        names = [bench.app.theme]
        for _ in bench.app.themes:
            await bench.press("T")
            names.append(bench.app.theme)
        assert names[0] == names[-1]
        assert len(set(names)) == len(bench.app.themes)
        assert "Capital of France?" in before


@in_loop
async def test_a_terminal_that_is_too_small_says_so_and_recovers(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        for size in ((30, 8), (12, 4), (3, 2), (1, 1)):
            await bench.pilot.resize_terminal(*size)
            await bench.pilot.pause()
        await bench.pilot.resize_terminal(30, 8)
        await bench.see("too small")
        await bench.pilot.resize_terminal(*WIDE)
        await bench.see("Capital of France?", "MODELS", "SAMPLING")


@in_loop
async def test_the_first_screen_says_what_to_do(home: Path) -> None:
    async with workbench(None, config=Config(), scripted=ScriptedBackend(())) as bench:
        await bench.see("Nothing is written yet.", "The first run fetches the", "untitled")
        await bench.press("d", "t", "M", "J", "ampersand", "y", "h", "p", "r", "v")
        await bench.see("Nothing is written yet.")
        assert bench.session.messages == ()


@in_loop
async def test_a_long_conversation_opens_at_its_end_and_is_paged(path: Path) -> None:
    messages = [(("user", "assistant")[i % 2], f"message {i}") for i in range(300)]
    async with workbench(talk(*messages), path) as bench:
        await bench.see("message 299")
        await bench.press("g")
        await bench.see("message 0", "more below")
        await bench.press("pagedown")
        await bench.miss("message 0\n")
        await bench.press("G")
        await bench.see("message 299")
        await bench.miss("more below")


# Files


@in_loop
async def test_an_untitled_conversation_gets_a_name(tmp_path: Path, home: Path) -> None:
    async with workbench(talk(*HELLO)) as bench:
        await bench.see("untitled")
        await bench.press("M")
        await bench.until(lambda: list((home / "data" / "untitled").glob("*.toml")), "it to be kept in the data folder")
        await bench.press("w")
        await bench.see("Save as")
        await bench.paste(str(tmp_path / "named"))
        await bench.press("enter")
        await bench.see("saved:")
        named = tmp_path / "named.toml"
        await bench.saved(*HELLO, path=named)
        assert not list((home / "data" / "untitled").glob("*.toml"))
        await bench.see("named")


@in_loop
async def test_saving_over_another_file_asks(tmp_path: Path, path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_bytes(dumps(talk(("user", "other"))))
    async with workbench(talk(*HELLO), path) as bench:
        for answer, expected in (("escape", [("user", "other")]), ("o", list(HELLO))):
            await bench.press("W")
            await bench.see("Save as")
            await bench.press("ctrl+u")
            await bench.paste(str(other))
            await bench.press("enter")
            await bench.see("is there already")
            await bench.press(answer)
            await bench.miss("is there already")
            await bench.until(lambda expected=expected: bench.said(other) == expected)


@in_loop
async def test_several_files_are_open_at_once(tmp_path: Path, path: Path) -> None:
    second = tmp_path / "here" / "second.toml"
    second.write_bytes(dumps(talk(("user", "in the second"))))
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris.", hold=(hold := threading.Event()))
        await bench.press("r")
        await bench.see("esc stop")
        await bench.press("O")
        await bench.see("second.toml")
        await bench.type("sec")
        await bench.press("enter")
        await bench.see("in the second", "2/2")
        hold.set()
        await bench.saved(*HELLO, ("assistant", "Paris."))
        assert bench.said(second) == [("user", "in the second")]
        await bench.press("left_square_bracket")
        await bench.see("Capital of France?", "Paris.", "1/2")
        await bench.press("right_square_bracket")
        await bench.see("in the second")
        await bench.press("n")
        await bench.see("Nothing is written yet.", "3/3")


@in_loop
async def test_a_file_that_cant_be_read_is_said_and_isnt_opened(tmp_path: Path, path: Path) -> None:
    broken = tmp_path / "here" / "broken.toml"
    broken.write_text('qiao = 1\n[[message]]\nrole = "wizard"\n', encoding="utf-8")
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("O")
        await bench.see("broken.toml")
        await bench.press("enter")
        await bench.see("wizard", "Capital of France?")
        assert len(bench.app.workbench.sessions) == 1


@in_loop
async def test_a_newer_programs_file_is_only_shown(path: Path) -> None:
    source = b'qiao = 99\n[[message]]\nrole = "user"\ntext = "from the future"\n'
    path.write_bytes(source)
    async with workbench(None, path) as bench:
        await bench.see("from the future", "read-only")
        for key in ("e", "a", "d", "t", "M", "r", "o"):
            await bench.press(key)
            await bench.pilot.pause()
        await bench.paste("text")
        assert [m.said for m in bench.session.messages] == ["from the future"]
        assert bench.app.workbench.editor is None
        assert not bench.scripted.requests
        assert path.read_bytes() == source


@in_loop
async def test_what_another_program_adds_is_taken_in(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        path.write_bytes(dumps(talk(*HELLO, ("assistant", "From elsewhere."))))
        await bench.see("From elsewhere.", "was changed by another program")


@in_loop
async def test_a_conflict_is_decided_by_the_person(tmp_path: Path, path: Path) -> None:
    async with workbench(talk(("user", "one")), path) as bench:
        await bench.press("e")
        await bench.see("editing")
        await bench.type(" mine")
        path.write_bytes(dumps(talk(("user", "theirs"))))
        bench.app.workbench.action_do("leave_editor")
        await bench.see("and here as well")
        await bench.press("escape")
        await bench.see("one mine", "talk.toml was changed by another program")
        await bench.press("w")
        await bench.see("and here as well")
        await bench.press("m")
        await bench.saved(("user", "one mine"))
        assert bench.said(tmp_path / "talk.theirs-1.toml") == [("user", "theirs")]
        await bench.see("saved")


# Leaving


@in_loop
async def test_leaving_saves_and_asks_nothing(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("e")
        await bench.type("!")
        await bench.press("escape", "q")
        await bench.until(lambda: not bench.app.is_running, "the end")
    assert bench.said()[1] == ("user", "Capital of France?!")
    assert bench.scripted.closed
    assert bench.app.return_code == 0


@in_loop
async def test_leaving_while_something_streams_asks_and_keeps_what_came(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris is", hold=threading.Event())
        await bench.press("r")
        await bench.see("Paris")
        await bench.press("q")
        await bench.see("An answer is still coming")
        await bench.press("escape")
        await bench.see("esc stop")
        await bench.press("q")
        await bench.see("An answer is still coming")
        await bench.press("q")
        await bench.until(lambda: not bench.app.is_running, "the end")
    assert bench.said()[2] == ("assistant", "Paris")
    assert bench.on_disk().messages[2].takes[0].finish == "cancelled"


@in_loop
async def test_takes_of_a_message_can_be_deleted_one_by_one(path: Path) -> None:
    answer = Message(role="assistant").with_take(Take(text="first")).with_take(Take(text="second"))
    async with workbench(talk(*HELLO).inserted(2, answer), path) as bench:
        await bench.see("second", "2/2")
        await bench.press("d")
        await bench.see("first", "1/1")
        await bench.press("d")
        await bench.saved(*HELLO)
