"""The workbench driven by keys alone: sampling, variables, models, and the screen itself."""

from pathlib import Path

import msgspec
import pytest

from qiao.backends.scripted import ScriptedBackend
from qiao.tui.actions.table import ACTIONS
from qiao.tui.keeping import keeper
from qiao.workbench.config import Config
from qiao.workbench.sampling import Sampling

from ..driving import HELLO, NARROW, WIDE, Bench, in_loop, talk, workbench


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)


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
async def test_a_step_stays_in_a_parameters_range(path: Path) -> None:
    sampling = Sampling(top_p=0.97, min_p=0.0, repetition_penalty=0.05, presence_penalty=2.0, n=128)
    async with workbench(talk(*HELLO, sampling=sampling), path) as bench:
        await bench.press("s")
        await choose_row(bench, "top_p")
        await bench.press("right", "right")
        await bench.until(lambda: bench.on_disk().sampling.top_p == 1)
        for name, key in (("min_p", "h"), ("repetition_penalty", "h"), ("presence_penalty", "l"), ("n", "l")):
            await choose_row(bench, name)
            await bench.press(key, key)
        await choose_row(bench, "thinking_budget")
        await bench.press("l")
        await bench.until(lambda: bench.on_disk().sampling.thinking_budget == 256)
        changed = msgspec.structs.replace(sampling, top_p=1.0, thinking_budget=256)
        assert bench.on_disk().sampling == changed
        assert not bench.app.screen.query("InlineInput")


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
async def test_what_is_set_without_effect_is_marked_and_said_once(path: Path) -> None:
    scripted = ScriptedBackend(("echo",), default="Paris.")
    scripted.ignores = ("top_k",)
    async with workbench(talk(*HELLO, sampling=Sampling(top_k=5)), path, scripted=scripted) as bench:
        await bench.see("no effect ! 5")
        await bench.press("r")
        await bench.see("top_k has no effect on this model.", "Paris.")
        await bench.idle()
        bench.app.clear_notifications()
        await bench.miss("top_k has no effect")
        await bench.press("r")
        await bench.until(lambda: len(scripted.requests) == 2)
        await bench.idle()
        assert "top_k has no effect" not in bench.text()


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
        await bench.see("any action, model, theme or conversation")
        await bench.type("paper")
        await bench.see("Theme: ")
        await bench.press("enter")
        await bench.until(lambda: bench.app.theme == "paper", "the theme")
        await bench.press("ctrl+p")
        await bench.see("any action, model, theme or conversation")
        await bench.type("scripted:other")
        await bench.see("Model: scripted:other")
        await bench.press("enter")
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
        await bench.see("Nothing is written yet.", "No model is here yet.", "Bailian", "untitled")
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


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("times", [4, 8, 12])
@in_loop
async def test_the_editor_is_as_high_as_its_wrapped_text(size: tuple[int, int], times: int) -> None:
    words = "The quick brown fox jumps over the lazy dog and runs. " * times
    async with workbench(talk(("user", f"First: {words}last.")), size=size) as bench:
        await bench.press("e")
        editor = bench.app.workbench.editor
        assert editor is not None
        await bench.until(lambda: editor.size.height == editor.lines_wanted > 1)
        await bench.until(lambda: editor.scroll_offset.y == 0)
        await bench.see("First:", "last.")
