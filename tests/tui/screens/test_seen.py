"""The exact prompt: what each message takes of it, and how it would be with other settings."""

from pathlib import Path

import pytest

from qiao.backends.scripted import ScriptedBackend
from qiao.tui.screens.prompt_page import lay_out
from qiao.workbench.config import Config
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Piece, Prompt, Share

from ..driving import HELLO, NARROW, WIDE, Bench, in_loop, talk, workbench

LONG = (("system", "Be brief."), *((role, f"{role} {i} says so") for i in range(20) for role in ("user", "assistant")))


def line_with(bench: Bench, text: str) -> str:
    return next(line for line in bench.lines() if text in line)


@pytest.mark.parametrize("size", [WIDE, NARROW])
@in_loop
async def test_each_message_has_its_tokens_in_the_margin(path: Path, size: tuple[int, int]) -> None:
    async with workbench(talk(*HELLO), path, size=size) as bench:
        await bench.press("v")
        await bench.see("messages 8 · template", "1/2 system · 3 tokens", "tokens (0.5%)")
        assert "3 █ Be brief." in line_with(bench, "Be brief.")
        assert "5 ▌ Capital of France?" in line_with(bench, "Capital of France?<")
        await bench.press("j")
        await bench.see("2/2 user · 5 tokens", "5 █ Capital of France?")
        assert len({len(line) for line in bench.lines() if "█" in line}) == 1


@in_loop
async def test_a_long_prompt_is_walked_by_message(path: Path) -> None:
    async with workbench(talk(*LONG), path, size=NARROW) as bench:
        await bench.press("v")
        await bench.see("1/40 system")
        await bench.press(*"jjjjjjjjjjjj")
        await bench.see("13/40 assistant", "█ assistant 5 says so")
        await bench.press("G")
        await bench.see("40/40 user", "█ user 19 says so")
        await bench.press(*"kkkkkkkkkk")
        await bench.see("30/40 user", "█ user 14 says so")
        await bench.press("g")
        await bench.see("1/40 system", "█ Be brief.")


@in_loop
async def test_a_base_models_texts_are_said_to_be_joined(path: Path) -> None:
    scripted = ScriptedBackend(("echo",), kind="base")
    async with workbench(talk(*HELLO), path, scripted=scripted) as bench:
        await bench.see("base model: writes on from plain text")
        await bench.press("v")
        await bench.see("plain completion", "joined by a blank line", "3 █ Be brief.", "5 ▌ Capital")


STARTER = Config(model="local:starter")


@in_loop
async def test_another_template_is_tried_and_kept(
    path: Path, starter_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real starter's tokenizer."""
    monkeypatch.chdir(path.parent)
    Path("plain.jinja").write_text(
        "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
        "{% if enable_thinking is defined %}[thinking {{ enable_thinking }}]{% endif %}"
    )
    async with workbench(talk(*HELLO, model="local:starter"), path, config=STARTER) as bench:
        await bench.press("v")
        await bench.see("<|im_start|>system", "of 8,192 tokens", "template 14")
        await bench.press("T")
        await bench.see("the model's own template", "plain.jinja")
        await bench.press("down", "enter")
        await bench.see("[user] Capital of France?", "template: plain.jinja", "w keep")
        await bench.miss("<|im_start|>")
        await bench.press("t")
        await bench.see("[thinking True]", "thinking on")
        await bench.press("t")
        await bench.see("[thinking False]", "thinking off")
        await bench.press("t")
        await bench.miss("[thinking")
        await bench.press("w")
        await bench.see("Kept for this conversation")
        kept = bench.session.conversation.sampling.extra or {}
        assert list(kept) == ["chat_template"]
        await bench.press("v")
        await bench.see("[user] Capital of France?", "template: the conversation's")
        await bench.press("T", "enter")
        await bench.see("<|im_start|>system")
        await bench.press("escape", "u")
        await bench.until(lambda: bench.session.conversation.sampling == Sampling())


@in_loop
async def test_a_template_with_a_mistake_says_so_and_costs_nothing(
    path: Path, starter_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    Path("wrong.jinja").write_text("{% for m in %}")
    async with workbench(talk(*HELLO, model="local:starter"), path, config=STARTER) as bench:
        await bench.press("v")
        await bench.see("<|im_start|>system")
        await bench.press("T")
        await bench.see("wrong.jinja")
        await bench.press("down", "enter")
        await bench.see("chat template")
        await bench.miss("<|im_start|>")
        await bench.press("w", "T", "enter")
        await bench.see("<|im_start|>system")


@in_loop
async def test_what_does_not_fit_is_shown_before_it_is_sent_and_left_out_then(path: Path) -> None:
    scripted = ScriptedBackend(("echo",), context_length=90)
    async with workbench(talk(*LONG[:10]), path, scripted=scripted, size=NARROW) as bench:
        scripted.enqueue("So be it.")
        await bench.press("v")
        await bench.see("of 90 tokens", "messages")
        await bench.press("c")
        await bench.see("the 4 oldest don't fit", "1/10 system", "w keep")
        assert "user 0 says so" not in bench.text()
        assert "user 2 says so" in bench.text()
        await bench.press("j")
        await bench.see("2/10 user · doesn't fit")
        await bench.press("w")
        await bench.see("Kept for this conversation")
        await bench.press("r")
        await bench.see("So be it.", "4 oldest messages not")
        sent = [turn.text for turn in scripted.requests[-1].messages]
        assert sent[:2] == ["Be brief.", "user 2 says so"]
        await bench.until(lambda: bench.on_disk().messages[-1].takes)
        assert bench.on_disk().window == "drop_oldest"
        assert bench.on_disk().messages[-1].takes[-1].left_out == 4


def test_lines_belong_to_the_message_whose_text_they_show() -> None:
    text = "<s>one\n\nthree\x1b<e>\nend"
    pieces = (Piece("<s>", special=True), Piece("one\n\nthree\x1b"), Piece("<e>", special=True), Piece("\nend"))
    prompt = Prompt("chat", pieces, 9, None, (Share(3, 14, 4), Share(0, 0, 0)))
    assert prompt.text == text
    laid = [("".join(run.text for run in line.text), line.message, line.begins) for line in lay_out(prompt, 40)]
    assert laid == [("<s>one", 0, True), ("", 0, False), ("three␛<e>", 0, False), ("end", None, False)]


def test_wrapped_lines_belong_to_their_message_too() -> None:
    prompt = Prompt("chat", (Piece("ask " * 10 + "敲" * 10),), 9, None, (Share(0, 40, 4), Share(40, 50, 5)))
    laid = [("".join(run.text for run in line.text), line.message, line.begins) for line in lay_out(prompt, 20)]
    assert laid == [
        ("ask ask ask ask ask ", 0, True),
        ("ask ask ask ask ask ", 0, False),
        ("敲" * 10, 1, True),
    ]
