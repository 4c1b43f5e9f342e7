"""The library driven by keys: searching, opening, templates, tags, what was opened lately."""

import json
import os
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input, Static

from qiao.tui.keeping import folder_watch, keeper
from qiao.tui.screens import library
from qiao.workbench import words
from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.conversation_file import dumps

from ..driving import HELLO, NARROW, WIDE, Bench, in_loop, talk, workbench
from .palettes import burst


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)
    folder = tmp_path / "here"
    (folder / "work" / "mail").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def put(path: Path, conversation: Conversation, touched: float | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dumps(conversation))
    if touched is not None:
        os.utime(path, (touched, touched))
    return path


PARCEL = Conversation(
    title="Late parcel",
    tags=("mail", "zh"),
    messages=(
        Message(role="user", text="Where is it?"),
        Message(role="assistant").with_take(Take(text="First line.\nIt lies in Wuhan, see.", model="local:a/Qwen3-4B")),
    ),
)


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_word_of_an_answer_finds_its_conversation(here: Path, size: tuple[int, int], language: str) -> None:
    put(here / "work" / "mail" / "parcel.toml", PARCEL)
    put(here / "other.toml", talk(("user", "Nothing of that.")))

    @in_loop
    async def drive() -> None:
        words.choose(language)
        async with workbench(talk(*HELLO), size=size) as bench:
            await bench.press("O")
            await bench.see("Late parcel", "#mail", "other.toml", "Qwen3-4B")
            await bench.type("WUHAN")
            await bench.miss("other.toml")
            await bench.see("Late parcel", "It lies in Wuhan, see.", "work/mail/parcel.toml")
            await bench.see("2 messages" if language == "en" else "2 条消息")
            await bench.press("enter")
            await bench.see("Where is it?", "2/2", "#mail #zh")

    drive()


@in_loop
async def test_enter_pressed_when_all_is_found_but_not_shown_yet_makes_no_file(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "LOOKS_A_SECOND", 1)
    put(here / "a.toml", talk(("user", "about cats")), 1000)
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("O", *"cats")
        screen = bench.app.screen
        assert isinstance(screen, library.LibraryScreen)
        await bench.until(lambda: screen._search.done, "the search")
        await bench.press("enter")
        await bench.see("about cats", "2/2")
        assert bench.session.document.path == here / "a.toml"


@in_loop
async def test_keys_behind_an_enter_that_waits_are_meant_for_what_it_opens(here: Path) -> None:
    put(here / "cats.toml", talk(("user", "first"), ("user", "second")))
    async with workbench(talk(*HELLO)) as bench:
        burst(bench, "Ocats\rkM")
        await bench.see("2/2", "first", "not sent")
        await bench.until(lambda: [m.muted for m in bench.session.messages] == [True, False])
        # Nothing to open: the next key is for the line again.
        burst(bench, "Ois:starred\r here")
        await bench.see("is:starred here")


@in_loop
async def test_enter_pressed_at_once_waits_for_what_is_found(here: Path) -> None:
    put(here / "a.toml", talk(("user", "about cats")), 1000)
    put(here / "b.toml", talk(("user", "about dogs")), 2000)
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("O", *"cats", "enter")
        await bench.see("about cats", "2/2")
        assert not (here / "cats.toml").exists()


@in_loop
async def test_tags_and_models_narrow_the_list(here: Path) -> None:
    put(here / "parcel.toml", PARCEL)
    put(here / "plain.toml", talk(("user", "mail and Qwen3"), title="Plain"))
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("O")
        await bench.see("Plain")
        await bench.type("#ma")
        await bench.miss("Plain")
        await bench.see("Late parcel", "1 found")
        await bench.press("ctrl+u")
        await bench.type("model:qwen where")
        await bench.miss("Plain")
        await bench.see("Late parcel", "Where is it?")
        await bench.press("ctrl+u")
        await bench.type("#none")
        await bench.see("nothing found")
        await bench.press("enter")
        await bench.see("nothing found")


@in_loop
async def test_tags_are_edited_and_undone(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    async with workbench(talk(*HELLO), path, size=NARROW) as bench:
        await bench.press("number_sign")
        await bench.see("Tags")
        await bench.type("mail #late, mail")
        await bench.press("enter")
        await bench.see("#mail #late")
        await bench.until(lambda: bench.on_disk().tags == ("mail", "late"))
        await bench.press("number_sign")
        await bench.see("mail late")
        await bench.press("escape", "u")
        await bench.miss("#mail")
        await bench.until(lambda: bench.on_disk().tags == ())


@in_loop
async def test_a_template_is_copied_and_stays(home: Path) -> None:
    template = put(home / "data" / "templates" / "terse.toml", talk(("system", "Be terse."), title="Terse"))
    before = template.read_bytes()
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("O")
        await bench.see("Terse", "template")
        await bench.press("enter")
        await bench.see("Be terse.", "2/2", "draft")
        await bench.press("M")
        drafts = home / "data" / "untitled"
        await bench.until(lambda: list(drafts.glob("*.toml")), "the draft in the data folder")
    assert template.read_bytes() == before


@in_loop
async def test_what_was_opened_lately_is_listed_from_anywhere_and_first(tmp_path: Path, here: Path) -> None:
    put(here / "newer.toml", talk(("user", "newer")))
    elsewhere = put(tmp_path / "else" / "where.toml", talk(("user", "from elsewhere")), 1000)
    async with workbench(None, elsewhere) as bench:
        await bench.see("from elsewhere")
        await bench.until(lambda: (tmp_path / "qiao-home" / "data" / "recent.json").exists())
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("O")
        await bench.see("where.toml", "newer.toml")
        text = bench.text()
        assert text.index("where.toml") < text.index("newer.toml")
        await bench.press("enter")
        await bench.see("from elsewhere", "2/2")


@in_loop
async def test_a_draft_is_listed_by_its_first_words(home: Path) -> None:
    put(home / "data" / "untitled" / "20260101-000000.toml", talk(("user", "\nA draft about tea\nand more")))
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("O")
        await bench.see("A draft about tea", "draft")


@in_loop
async def test_a_path_that_is_typed_makes_a_file(here: Path) -> None:
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("O")
        await bench.see("No conversations here yet")
        await bench.type("work/new one")
        await bench.see("enter makes work/new one.toml")
        await bench.press("enter")
        await bench.see("new file", "2/2")
        await bench.press("a")
        await bench.type("hi")
        await bench.press("escape")
        await bench.saved(("user", "hi"), path=here / "work" / "new one.toml")


@in_loop
async def test_controls_in_names_and_texts_are_shown_as_symbols(here: Path) -> None:
    put(here / "x.toml", talk(("user", "the \x1b[31mred fox"), title="bad\x1b]0;title"))
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("O")
        await bench.see("bad␛]0;title")
        await bench.type("fox")
        await bench.see("the ␛[31mred fox")


def test_what_cant_be_read_is_forgotten(home: Path) -> None:
    from qiao.tui.keeping import recent_files

    file = home / "data" / "recent.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\xff not json")
    assert recent_files.load() == {}
    recent_files.add(Path("a.toml"))
    assert list(json.loads(file.read_bytes())) == [os.path.abspath("a.toml")]


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_each_row_says_title_models_size_and_date(here: Path, size: tuple[int, int]) -> None:
    takes = [Take(text="…", model=f"local:a/Model-{n}-with-a-very-long-name") for n in range(3)]
    answer = Message(role="assistant", takes=tuple(takes), chosen=3)
    put(here / "work" / "mail" / "a-name.toml", Conversation(title="Warm words 春江", messages=(answer,)), 86400 * 365)

    @in_loop
    async def drive() -> None:
        async with workbench(talk(*HELLO), size=size) as bench:
            await bench.press("O")
            await bench.see("Warm words 春江")
            [row] = [line for line in bench.lines() if "Warm words" in line]
            assert "Model-2-w" in row
            assert "+2" in row
            assert "0.3K" in row
            assert "1971-01-01" in row

    drive()


@pytest.mark.parametrize("typed", ["", "tea"])
@in_loop
async def test_what_other_programs_do_shows_while_one_looks(
    here: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setattr(folder_watch, "EVERY", 0.05)
    for n in range(4):
        put(here / f"tea-{n}.toml", talk(("user", "tea")), 1000 - n)
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("O", *typed)
        await bench.see("tea-3.toml")
        await bench.press("down", "down")
        await bench.until(lambda: shown_below(bench) == "tea-2.toml", "the third to be selected")
        put(here / "work" / "made.toml", talk(("user", "strong tea")))
        await bench.see("made.toml")
        put(here / "tea-0.toml", talk(("user", "tea"), title="A tea by another name"))
        await bench.see("A tea by another name")
        (here / "tea-1.toml").unlink()
        await bench.miss("tea-1.toml")
        assert shown_below(bench) == "tea-2.toml"
        (here / "tea-2.toml").rename(here / "tea-renamed.toml")
        await bench.until(lambda: shown_below(bench) == "tea-renamed.toml", "it to stay selected")
        (here / "tea-renamed.toml").unlink()
        await bench.until(lambda: shown_below(bench) == "tea-3.toml", "its neighbour")
        assert bench.app.screen.query_one(Input).value == typed
        await bench.press("enter")
        await bench.until(lambda: bench.session.document.path.name == "tea-3.toml")


@in_loop
async def test_what_one_has_moved_to_stays_selected_when_what_was_typed_is_found(here: Path) -> None:
    for n in range(4):
        put(here / f"tea-{n}.toml", talk(("user", "tea")), 1000 - n)
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("O")
        await bench.see("tea-3.toml")
        for key in ("t", "e", "a", "down", "down"):
            bench.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await bench.see("4 found")
        assert shown_below(bench) == "tea-2.toml"
        await bench.press("s")
        await bench.see("0 found")
        await bench.press("backspace")
        await bench.see("4 found")
        assert shown_below(bench) == "tea-0.toml", "another line, another choice"


def shown_below(bench: Bench) -> str:
    """The path of the selected conversation."""
    return str(bench.app.screen.query_one("#library-detail", Static).content).split("\n")[0]


@in_loop
async def test_kinds_and_days_narrow_the_list(here: Path, home: Path) -> None:
    put(home / "data" / "untitled" / "20260101-000000.toml", talk(("user", "about tea")))
    put(here / "old.toml", talk(("user", "old")), 86400 * 365)
    put(here / "new.toml", talk(("user", "new")))
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("O")
        await bench.type("is:draft")
        await bench.miss("new.toml")
        await bench.see("about tea", "1 found")
        await bench.press("ctrl+u")
        await bench.paste("DATE：1971")
        await bench.miss("about tea")
        await bench.see("old.toml", "1 found")


@in_loop
async def test_what_was_found_is_in_sight_behind_wide_letters(here: Path) -> None:
    put(here / "long.toml", talk(("user", "春江潮水连海平海上明月共潮生" * 3 + "推敲")))
    async with workbench(talk(*HELLO), size=NARROW) as bench:
        await bench.press("O")
        await bench.see("long.toml")
        await bench.paste("推敲")
        await bench.see("1 found", "潮生推敲")


@in_loop
async def test_a_conversation_saved_into_templates_is_one(here: Path) -> None:
    async with workbench(talk(("system", "Be terse."))) as bench:
        await bench.press("W")
        await bench.see("Save as")
        await bench.type("templates/terse")
        await bench.press("enter")
        await bench.saved(("system", "Be terse."), path=here / "templates" / "terse.toml")
        await bench.press("n", "O")
        await bench.type("is:templ")
        await bench.see("terse", "1 found")
        await bench.press("enter")
        await bench.see("A copy of “terse”", "Be terse.", "draft")


@in_loop
async def test_a_large_file_holds_nothing_up(here: Path) -> None:
    put(here / "small.toml", talk(("user", "about cats")))
    large = put(here / "large.toml", talk(("user", "about dogs"), title="A large one"))
    with large.open("r+b") as file:
        file.truncate(3_000_000_000)
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("O")
        await bench.see("small.toml", "A large one", "only its beginning")
        await bench.type("large")
        await bench.miss("small.toml")
        await bench.press("enter")
        await bench.see("3,000 MB")
        assert bench.session.messages[0].text == HELLO[0][1]
