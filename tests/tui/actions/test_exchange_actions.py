"""Files of other formats, opened and written by keys."""

import json
from pathlib import Path

import pytest

from qiao.tui.beginning import opened
from qiao.tui.keeping import keeper
from qiao.workbench.conversation import Message, Take
from qiao.workbench.errors import Unreadable

from ..driving import HELLO, NARROW, in_loop, talk, workbench


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def messages_of(*said: str) -> dict[str, object]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[i % 2], "content": text} for i, text in enumerate(said)]}


@in_loop
async def test_a_conversation_of_another_program_is_opened_and_its_file_stays(here: Path, home: Path) -> None:
    record = {**messages_of("Where is it?", "Here."), "tools": [{"type": "function"}]}
    (here / "one.json").write_text(json.dumps(record))
    before = (here / "one.json").read_bytes()
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("O")
        await bench.type("one.json")
        await bench.see("enter opens one.json")
        await bench.press("enter")
        await bench.see("Where is it?", "Here.", "2/2", "draft", "the file stays as it is", "left out: tools")
        await bench.press("M")
        drafts = home / "data" / "untitled"
        await bench.until(lambda: list(drafts.glob("*.toml")), "the draft in the data folder")
    assert (here / "one.json").read_bytes() == before


@in_loop
async def test_of_many_conversations_one_is_chosen_by_its_words(here: Path) -> None:
    lines = [json.dumps(messages_of(f"Question {n} about {'tea' if n == 700 else 'x'}")) for n in range(1000)]
    (here / "many.jsonl").write_text("\n".join(lines))
    async with workbench(talk(*HELLO), size=NARROW) as bench:
        await bench.press("O", *"many.jsonl", "enter")
        await bench.see("many.jsonl holds 1000 conversations", "Question 0 about x")
        await bench.type("TEA")
        await bench.see("701  Question 700 about tea")
        await bench.press("enter")
        await bench.see("Question 700 about tea", "many 701", "2/2")


@in_loop
async def test_a_few_are_opened_at_once(here: Path) -> None:
    (here / "few.jsonl").write_text("\n".join(json.dumps(messages_of(f"Question {n}")) for n in range(3)))
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("O", *"few.jsonl", "enter")
        await bench.see("all 3 of them")
        await bench.press("enter")
        await bench.see("Question 0", "2/4")
        await bench.press("right_square_bracket")
        await bench.see("Question 1", "3/4")


@in_loop
async def test_what_was_left_out_is_that_of_the_chosen_one(here: Path) -> None:
    rows = [messages_of("Plain"), {**messages_of("With tools"), "tools": [{}]}]
    (here / "two.jsonl").write_text("\n".join(map(json.dumps, rows)))
    async with workbench(talk(*HELLO)) as bench:
        for typed, told in (("Plain", "1 from two.jsonl"), ("With", "left out: tools")):
            await bench.press("O", *"two.jsonl", "enter")
            await bench.see("two.jsonl holds 2")
            await bench.type(typed)
            assert "left out" not in bench.text()
            await bench.press("enter")
            await bench.see(told)


@in_loop
async def test_a_file_with_a_mistake_or_none_at_all_is_said(here: Path) -> None:
    (here / "bad.jsonl").write_text('{"messages": [\n')
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("O", *"bad.jsonl", "enter")
        await bench.see("bad.jsonl", "no JSON")
        await bench.press("O", *"none.jsonl", "enter")
        await bench.see("none.jsonl does not exist")
        assert len(bench.app.workbench.sessions) == 1


@in_loop
async def test_save_as_another_format_exports_and_changes_nothing_here(here: Path, tmp_path: Path) -> None:
    answer = Message(role="assistant").with_take(Take(text="Lyon.")).with_take(Take(text="Paris."))
    path = tmp_path / "t.toml"
    async with workbench(talk(*HELLO).inserted(2, answer), path) as bench:
        await bench.press("W", "ctrl+u", *"out.json", "enter")
        await bench.see("exported: out.json", "other takes (1)")
        exported = json.loads((here / "out.json").read_text())
        assert [m["content"] for m in exported["messages"]] == ["Be brief.", "Capital of France?", "Paris."]
        assert bench.session.document.path == path
        for answered, expected in (("escape", exported), ("o", None)):
            await bench.press("M")
            await bench.press("W", "ctrl+u", *"out.json", "enter")
            await bench.see("is there already")
            await bench.press(answered)
            await bench.miss("is there already")
            await bench.until(
                lambda expected=expected: (json.loads((here / "out.json").read_text()) == exported) == bool(expected)
            )
            await bench.press("u")
        await bench.press("W", "ctrl+u", *"out.md", "enter")
        await bench.until((here / "out.md").exists)
        assert "Paris." in (here / "out.md").read_text()
        assert len(bench.on_disk().messages[2].takes) == 2


def test_files_given_at_the_start_are_imported(here: Path) -> None:
    (here / "one.json").write_text(json.dumps({**messages_of("Hi"), "tools": [{}]}))
    (here / "many.jsonl").write_text("\n".join([json.dumps(messages_of("Hi"))] * 2))
    documents, several = opened([Path("one.json"), Path("many.jsonl"), Path("new.toml")])
    assert [(d.title, d.is_untitled) for d in documents] == [("one", True), ("new", False)]
    assert "tools" in documents[0].notices[0]
    [(name, imported)] = several
    assert (name, [each.title for each in imported.conversations]) == ("many.jsonl", ["many 1", "many 2"])
    with pytest.raises(Unreadable, match="does not exist"):
        opened([Path("none.jsonl")])
