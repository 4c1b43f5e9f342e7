"""Finding and replacing in the conversation, by keys."""

from pathlib import Path

from qiao.workbench.conversation import Conversation, Message, Take

from ..driving import NARROW, in_loop, workbench

TALK = Conversation(
    messages=(
        Message(role="user", text="Where is the Louvre?"),
        Message(
            role="assistant",
            takes=(Take(text="In Paris.", thinking="the museum is"), Take(text="In Rome.")),
            chosen=2,
        ),
        Message(role="user", text="The Louvre, sure?"),
    )
)


@in_loop
async def test_enter_goes_to_the_take_that_says_it(tmp_path: Path) -> None:
    async with workbench(TALK, tmp_path / "t.toml", size=NARROW) as bench:
        await bench.press("slash")
        await bench.type("paris")
        await bench.see("1 found", "‹1/2›")
        await bench.press("enter")
        await bench.until(lambda: bench.session.conversation.messages[1].chosen == 1)
        assert bench.session.index == 1
        await bench.press("slash")
        await bench.see("1 found")


@in_loop
async def test_thinking_opens_and_arrows_walk_through_the_places(tmp_path: Path) -> None:
    async with workbench(TALK, tmp_path / "t.toml") as bench:
        await bench.press("slash", *"museum", "enter")
        await bench.see("the museum is")
        await bench.press("slash", "ctrl+u", *"louvre", "down", "enter")
        await bench.until(lambda: bench.session.index == 2)
        await bench.press("slash", "ctrl+u", *"nowhere")
        await bench.see("Nothing like it here.")
        # What the first letters found is no longer counted.
        assert "found" not in bench.text()
        await bench.press("enter", "escape")
        assert bench.session.index == 2


@in_loop
async def test_replacing_is_one_step_of_undo(tmp_path: Path) -> None:
    async with workbench(TALK, tmp_path / "t.toml") as bench:
        await bench.press("slash", *"Louvre", "ctrl+r")
        await bench.see("by hand by")
        # What was looked for is there to be changed, and typing replaces it.
        await bench.press(*"Met", "enter")
        await bench.see("2 replaced")
        assert [m.said for m in bench.session.messages] == ["Where is the Met?", "In Rome.", "The Met, sure?"]
        await bench.press("u")
        await bench.until(lambda: bench.session.conversation.messages[0].text == "Where is the Louvre?")
        await bench.press("slash", "ctrl+u", *"Rome", "ctrl+r")
        await bench.see("stands only in takes")


@in_loop
async def test_a_hit_far_down_a_long_message_is_scrolled_to(tmp_path: Path) -> None:
    rows = "\n".join(f"Row {number} has some **words** of its own, 还有一些中文" for number in range(200))
    answer = Message(role="assistant", takes=(Take(text=rows),), chosen=1)
    talk = Conversation(messages=(Message(role="user", text=rows), answer))
    async with workbench(talk, tmp_path / "t.toml", size=NARROW) as bench:
        for count in (1, 2):
            await bench.press("slash", "ctrl+u")
            await bench.type("Row 150 has")
            await bench.see("Row 150 has")
            await bench.press(*["down"] * (count - 1), "enter")
            await bench.see("Row 150", "Row 151")
            await bench.miss("Row 1 has")
            assert bench.session.index == count - 1
