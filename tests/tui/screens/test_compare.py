"""Takes side by side, and a conversation that forks: by keys."""

import threading
from pathlib import Path

import pytest

from qiao.tui.text.glyphs import glyphs
from qiao.workbench.conversation import Conversation, Message, Take

from ..driving import HELLO, NARROW, WIDE, in_loop, talk, workbench

TALK = Conversation(
    title="Capitals",
    model="scripted:echo",
    messages=(
        Message(role="user", text="Capital of France?"),
        Message(
            role="assistant",
            takes=(Take(text="It is Paris.", model="scripted:a"), Take(text="It is Lyon.", model="scripted:b")),
            chosen=2,
        ),
        Message(role="user", text="Sure?"),
    ),
)


@pytest.mark.parametrize("size", [WIDE, NARROW])
@in_loop
async def test_takes_stand_side_by_side_and_one_is_chosen(tmp_path: Path, size: tuple[int, int]) -> None:
    async with workbench(TALK, tmp_path / "talk.toml", size=size) as bench:
        await bench.press("k", "c")
        await bench.see("‹1/2› a", "‹2/2› b", "It is Paris.", "It is Lyon.")
        assert "esc back" in bench.lines()[-1]
        line = next(line for line in bench.lines() if "Paris" in line)
        assert line.index("Lyon") > size[0] // 2
        await bench.press("x")
        await bench.until(lambda: "It is Lyon." in next(line for line in bench.lines() if "Paris" in line)[:40])
        await bench.press("enter")
        await bench.until(lambda: bench.session.conversation.messages[1].chosen == 1)
        await bench.press("u")
        await bench.until(lambda: bench.session.conversation.messages[1].chosen == 2)


@in_loop
async def test_of_two_takes_side_by_side_the_one_of_an_earlier_prompt_says_so(tmp_path: Path) -> None:
    async with workbench(talk(*HELLO), tmp_path / "talk.toml") as bench:
        bench.scripted.enqueue("Paris.")
        await bench.press("r")
        await bench.see("Paris.")
        await bench.press("k", "e")
        await bench.type(" Or of Italy?")
        bench.scripted.enqueue("Rome.")
        await bench.press("ctrl+r")
        await bench.see("‹2/2›", "Rome.")
        await bench.idle()
        await bench.press("c")
        await bench.see("‹1/2› echo  stale: answered another prompt", "Paris.", "Rome.")
        assert bench.text().count("stale") == 1


@in_loop
async def test_takes_that_are_the_same_are_told_to_be(tmp_path: Path) -> None:
    paris = Take(text="Paris.", model="scripted:a")
    same = Conversation(messages=(TALK.messages[0], Message(role="assistant", takes=(paris, paris), chosen=2)))
    async with workbench(same, tmp_path / "talk.toml") as bench:
        await bench.press("c")
        await bench.see("The same on both sides.")
    async with workbench(TALK, tmp_path / "other.toml") as bench:
        await bench.press("k", "c")
        await bench.see("It is Lyon.")
        assert "The same" not in bench.text()


@in_loop
async def test_a_message_with_one_version_has_nothing_to_compare(tmp_path: Path) -> None:
    async with workbench(TALK, tmp_path / "talk.toml") as bench:
        await bench.press("c")
        await bench.see("only one version")


@in_loop
async def test_a_fork_goes_on_by_itself_and_is_saved(tmp_path: Path) -> None:
    async with workbench(TALK, tmp_path / "talk.toml") as bench:
        await bench.press("k", "f")
        await bench.see("Capitals (fork)")
        fork = bench.session
        assert [m.said for m in fork.conversation.messages] == ["Capital of France?", "It is Lyon."]
        assert len(fork.conversation.messages[1].takes) == 2
        await bench.press("d")
        await bench.press("left_square_bracket")
        await bench.see("Sure?")
        assert len(bench.session.conversation.messages[1].takes) == 2
        await bench.until(lambda: fork.document.path.exists() and not fork.document.unsaved, "the fork to be saved")


@in_loop
async def test_replaying_gives_every_answer_anew_on_top_of_the_new_ones(tmp_path: Path) -> None:
    four = TALK.inserted(3, Message(role="assistant", takes=(Take(text="Yes."),), chosen=1))
    async with workbench(four, tmp_path / "talk.toml") as bench:
        bench.scripted.enqueue("It is Lille.")
        bench.scripted.enqueue("Quite.")
        await bench.press("R", "enter")
        await bench.see("All answers are new")
        await bench.idle()
        said = [message.said for message in bench.session.conversation.messages]
        assert said == ["Capital of France?", "It is Lille.", "Sure?", "Quite."]
        assert [turn.text for turn in bench.scripted.requests[1].messages] == said[:3]
        assert len(bench.session.conversation.messages[1].takes) == 3


@in_loop
async def test_examples_by_hand_stay_where_a_model_gave_the_answers(tmp_path: Path) -> None:
    shots = (Message(role="user", text="Capital of Spain?"), Message(role="assistant", text="Madrid."))
    async with workbench(TALK.inserted(0, *shots), tmp_path / "talk.toml") as bench:
        bench.scripted.enqueue("Paris.")
        await bench.press("R")
        await bench.see("answers to give anew: 1, by hand and staying: 1")
        await bench.press("enter")
        await bench.see("All answers are new")
        await bench.idle()
        said = [message.said for message in bench.session.conversation.messages]
        assert said == ["Capital of Spain?", "Madrid.", "Capital of France?", "Paris.", "Sure?"]


@in_loop
async def test_answers_that_came_without_takes_are_all_given_anew(tmp_path: Path) -> None:
    imported = talk(("user", "Capital of Spain?"), ("assistant", "Madrid."), model="scripted:echo")
    async with workbench(imported, tmp_path / "talk.toml") as bench:
        bench.scripted.enqueue("It is Madrid.")
        await bench.press("R", "enter")
        await bench.see("All answers are new")
        await bench.idle()
        assert bench.session.conversation.messages[1].said == "It is Madrid."


@in_loop
async def test_another_model_replays_and_the_conversation_keeps_its_own(tmp_path: Path) -> None:
    four = TALK.inserted(3, Message(role="assistant", takes=(Take(text="Yes."),), chosen=1))
    async with workbench(four, tmp_path / "talk.toml") as bench:
        await bench.press("R")
        await bench.see("answers to give anew: 2", "scripted:echo", "the model's own sampling")
        await bench.type("other")
        await bench.see(f"{glyphs.row}scripted:other")
        bench.scripted.enqueue("It is Lille.")
        bench.scripted.enqueue("Quite.")
        await bench.press("enter")
        await bench.see("All answers are new")
        assert [str(request.address) for request in bench.scripted.requests] == ["scripted:other"] * 2
        assert bench.session.conversation.model == "scripted:echo"
        assert bench.session.conversation.messages[3].takes[-1].model == "scripted:other"


@in_loop
async def test_replaying_may_be_left_and_is_stopped_as_a_whole(tmp_path: Path) -> None:
    four = TALK.inserted(3, Message(role="assistant", takes=(Take(text="Yes."),), chosen=1))
    async with workbench(four, tmp_path / "talk.toml") as bench:
        await bench.press("R")
        await bench.see("REPLAY")
        await bench.press("escape")
        await bench.miss("REPLAY")
        assert not bench.scripted.requests
        bench.scripted.enqueue("It is long", hold=threading.Event())
        await bench.press("R", "enter")
        await bench.see("esc stop")
        await bench.press("escape")
        await bench.idle()
        assert bench.session.conversation.messages[3].said == "Yes."
        assert len(bench.scripted.requests) == 1


@in_loop
async def test_a_replay_ends_with_an_answer_that_goes_wrong(tmp_path: Path) -> None:
    four = TALK.inserted(3, Message(role="assistant", takes=(Take(text="Yes."),), chosen=1))
    async with workbench(four, tmp_path / "talk.toml") as bench:
        bench.scripted.enqueue("It", fail="engine_died", message="Gone.")
        await bench.press("R", "enter")
        await bench.see("Gone.")
        await bench.idle()
        assert bench.session.conversation.messages[3].said == "Yes."
        assert not bench.session.answering.replaying
