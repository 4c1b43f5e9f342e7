"""The conversation as one virtual page: what is laid out is what is seen, and nothing jumps."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from itertools import pairwise

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from qiao.tui.look.inks import Inks
from qiao.tui.look.theme_files import load_themes, variables
from qiao.tui.text.wrap import Line
from qiao.tui.transcript import blocks, view
from qiao.tui.transcript.blocks import Item
from qiao.tui.transcript.view import INDENT, MARGIN, Transcript
from qiao.workbench.address import Address
from qiao.workbench.answering import Answer
from qiao.workbench.conversation import Message
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Request, Started, Text

from ...patience import PATIENCE_S

WIDTH, HEIGHT = 60, 20


def in_loop(test: Callable[..., Coroutine[object, object, None]]) -> Callable[..., None]:
    """Runs an asynchronous test to its end."""

    @wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


async def resize(pilot: Pilot[None], width: int, height: int) -> None:
    """And waits until all is laid out anew."""
    await pilot.resize_terminal(width, height)
    end = time.monotonic() + PATIENCE_S
    while pilot.app.query_one(Page).size != (width, height):
        assert time.monotonic() < end
        await pilot.pause(0.01)
    # A widget has its new size before it is told so.
    await pilot.pause()


class Page(Transcript):
    """Notes what it is asked to paint again."""

    def __init__(self, inks: Inks) -> None:
        super().__init__(inks)
        self.repainted: list[int | None] = []
        """Lines; None: all of them."""

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> "Page":
        if hasattr(self, "repainted"):
            self.repainted += [region.y for region in regions] if regions else [None]
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        return self


class TinyApp(App[None]):
    """Nothing but a transcript."""

    def __init__(self) -> None:
        self.themes = load_themes()[0]
        self.page = Page(Inks(self.themes[0].colors))
        self.clicked: list[int] = []
        super().__init__()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variables(self.themes[0])

    def compose(self) -> ComposeResult:
        yield self.page

    def on_transcript_clicked(self, event: Transcript.Clicked) -> None:
        self.clicked.append(event.uid)


def conversation(count: int, text: str = "text of {}") -> list[Item]:
    roles = ("user", "assistant")
    return [Item(Message(role=roles[i % 2], text=text.format(i))) for i in range(count)]


def growing(text: str = "") -> Item:
    answer = Answer(Request(Address("scripted", "echo"), ()), "hash")
    answer.feed(Started("chat", Sampling()))
    if text:
        answer.feed(Text(text))
    return Item(Message(role="assistant"), answer)


def rows(page: Transcript) -> list[str]:
    """What the page shows, line by line, as the terminal gets it."""
    strips = [page.render_line(y) for y in range(page.size.height)]
    assert all(strip.cell_length == page.size.width for strip in strips)
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def bodies(page: Transcript) -> list[str]:
    """The lines without margin and bar, empty ones left out."""
    return [text for row in rows(page) if (text := row[MARGIN + INDENT :].strip())]


@pytest.fixture
def laid(monkeypatch: pytest.MonkeyPatch) -> list[Item]:
    """Every block that is laid out, as often as it is."""
    seen: list[Item] = []
    really = blocks.lines

    def lines(item: Item, *args: object) -> list[Line]:
        seen.append(item)
        return really(item, *args)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr("qiao.tui.transcript.flow.lines", lines)
    return seen


async def open_page(pilot: Pilot[None], items: Sequence[Item], selected: int = -1) -> Page:
    app = pilot.app
    assert isinstance(app, TinyApp)
    app.page.show(items, selected if selected >= 0 else len(items) - 1, {})
    app.page.reveal(to_end=True)
    app.page.focus()
    await pilot.pause()
    return app.page


@in_loop
async def test_ten_thousand_messages_cost_what_the_visible_ones_cost(laid: list[Item]) -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        items = conversation(10_000)
        page = await open_page(pilot, items)
        assert "text of 9999" in bodies(page)[-1]
        visible = HEIGHT // 3 + 2
        assert len(laid) <= 2 * visible, "blocks laid out to open the page at its end"
        laid.clear()
        page.show(items, 9_998, {})
        page.reveal()
        assert len(laid) == 0, "a step within what is visible"
        page.show(items, 0, {})
        page.reveal()
        assert bodies(page)[:2] == ["user", "text of 0"]
        assert len(laid) <= 2 * visible, "blocks laid out to jump to the top"
        laid.clear()
        changed = [*items]
        changed[1] = Item(items[1].message.with_text("edited"))
        page.show(changed, 0, {})
        assert laid == [changed[1]], "an edit lays out one block"


@in_loop
async def test_every_line_comes_by_when_scrolling_through(laid: list[Item]) -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        items = conversation(40, "one {0}\ntwo {0}\n\nfour {0}")
        page = await open_page(pilot, items, 0)
        seen: list[str] = bodies(page)
        while page.scroll_lines(1):
            seen.append(bodies(page)[-1])
        distinct = [row for i, row in enumerate(seen) if i == 0 or row != seen[i - 1]]
        expected = [
            part for i in range(40) for part in (("user", "assistant")[i % 2], f"one {i}", f"two {i}", f"four {i}")
        ]
        assert distinct == expected
        assert not page.more_below
        assert len(laid) == 40, "each block once"
        while page.scroll_lines(-7):
            pass
        assert bodies(page)[:2] == ["user", "one 0"]


@in_loop
async def test_the_page_opens_at_its_end_with_nothing_below() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        page = await open_page(pilot, conversation(30))
        assert not page.more_below
        before = rows(page)
        page.follow()
        assert rows(page) == before, "following begins where revealing ends"
        page.scroll_lines(-1)
        assert not page.more_below, "only a blank line is below"
        page.scroll_lines(-2)
        assert page.more_below


@in_loop
async def test_revealing_scrolls_as_little_as_needed() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        items = conversation(30)
        page = await open_page(pilot, items)
        top = bodies(page)[:2]
        page.show(items, 27, {})
        page.reveal()
        assert bodies(page)[:2] == top
        page.show(items, 10, {})
        page.reveal()
        assert bodies(page)[:2] == ["user", "text of 10"]
        page.show(items, 16, {})
        page.reveal()
        assert bodies(page)[-1] == "text of 16"
        page.show(items, 17, {})
        page.reveal()
        assert bodies(page)[-2:] == ["assistant", "text of 17"]


@in_loop
async def test_of_a_tall_block_the_top_or_the_end_is_shown() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        tall = Item(Message(role="user", text="\n".join(f"line {i}" for i in range(100))))
        items = [*conversation(3), tall, *conversation(3)]
        page = await open_page(pilot, items, 0)
        page.show(items, 3, {})
        page.reveal()
        assert bodies(page)[:2] == ["user", "line 0"]
        assert not page.is_cut_above(3)
        assert page.is_cut_below(3)
        page.scroll_lines(10)
        assert page.is_cut_above(3)
        assert page.is_cut_below(3)
        page.reveal(to_end=True)
        assert bodies(page)[-1] == "line 99"
        assert not page.is_cut_below(3)
        page.reveal()
        assert bodies(page)[:2] == ["user", "line 0"]


@in_loop
async def test_a_block_that_just_fits_is_cut_nowhere() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        for count in (HEIGHT - 2, HEIGHT - 1):
            exact = Item(Message(role="user", text="\n".join(f"line {i}" for i in range(count))))
            page = await open_page(pilot, [*conversation(5), exact])
            assert not page.is_cut_below(5)
            assert not page.is_cut_above(5)
            assert not page.more_below


@in_loop
async def test_a_growing_answer_repaints_only_what_changed() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        coming = growing("One ")
        items = [*conversation(2), coming]
        page = await open_page(pilot, items)
        page.follow()
        assert coming.live is not None
        line = 0
        for word in ("two ", "three "):
            page.repainted.clear()
            coming.live.feed(Text(word))
            page.show(items, 2, {})
            line = next(y for y, row in enumerate(rows(page)) if "One two" in row)
            assert page.repainted == [line, line + 1], "the growing line, and the line that counts tokens"
        page.repainted.clear()
        page.show(items, 2, {})
        assert line not in page.repainted, "nothing new, nothing painted, the tokens a second aside"
        assert len(page.repainted) <= 1


@in_loop
async def test_a_growing_answer_is_laid_out_once_a_painting(laid: list[Item]) -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        coming = growing("\n".join(f"line {i}" for i in range(50)))
        items = [*conversation(20), coming]
        page = await open_page(pilot, items)
        page.follow()
        assert coming.live is not None
        for _ in range(5):
            laid.clear()
            coming.live.feed(Text("\nmore"))
            page.show(items, 20, {})
            assert laid == [coming]


@in_loop
async def test_the_end_is_followed_until_the_reader_scrolls_away_and_again_when_back() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        coming = growing("start")
        items = [*conversation(20), coming]
        page = await open_page(pilot, items)
        page.follow()
        assert coming.live is not None

        def grow(text: str) -> None:
            assert coming.live is not None
            coming.live.feed(Text("".join(f"\n{text} {i}" for i in range(8))))
            page.show(items, 20, {})

        grow("a")
        assert page.following
        assert bodies(page)[-2] == "a 7"
        page.scroll_lines(-3)
        assert not page.following
        still = rows(page)
        grow("b")
        assert rows(page) == still, "what is read stays where it is"
        assert page.more_below
        while page.scroll_lines(5):
            pass
        assert page.following
        grow("c")
        assert bodies(page)[-2] == "c 7"


@in_loop
async def test_a_page_that_is_followed_moves_some_lines_at_once() -> None:
    """Each move sends most of the page again: a slow line, and a reader's eyes, are better off with few."""
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        coming = growing("start")
        items = [*conversation(20), coming]
        page = await open_page(pilot, items)
        page.follow()
        assert coming.live is not None
        tops: list[list[str]] = []
        for number in range(24):
            coming.live.feed(Text(f"\nline {number}"))
            page.show(items, 20, {})
            assert f"line {number}" in bodies(page)[-2]
            tops.append(rows(page)[: HEIGHT // 2])
        moves = sum(one != other for one, other in pairwise(tops))
        assert 3 <= moves <= 24 // view.LINES_AHEAD + 1
        # Once it is complete no blank lines are left.
        page.show([*conversation(20), Item(Message(role="assistant", text=coming.live.text))], 20, {})
        assert "line 23" in bodies(page)[-1]


@in_loop
async def test_scrolling_to_the_end_follows_nothing_where_nothing_comes() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        page = await open_page(pilot, conversation(30), 0)
        while page.scroll_lines(9):
            pass
        assert not page.following


@in_loop
async def test_no_empty_room_is_left_below_when_blocks_go() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        items = conversation(30)
        page = await open_page(pilot, items)
        page.show(items[:20], 19, {})
        assert bodies(page)[-1] == "text of 19"
        assert len(bodies(page)) >= 2 * (HEIGHT // 3)
        page.show(items[:2], 1, {})
        assert bodies(page) == ["user", "text of 0", "assistant", "text of 1"]


@in_loop
async def test_a_resize_lays_out_anew_and_keeps_the_place() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        items = [Item(Message(role="user", text=f"{i}: " + "some words " * 12)) for i in range(30)]
        page = await open_page(pilot, items)
        for width, height in ((30, 20), (90, 10), (60, 30), (24, 8)):
            await resize(pilot, width, height)
            assert not page.more_below, "who reads the end goes on reading the end"
            assert all(len(row) <= width for row in rows(page))
        page.show(items, 10, {})
        page.reveal()
        assert "10:" in bodies(page)[1]
        await resize(pilot, 70, 25)
        assert any("10:" in row for row in rows(page)), "the selected block stays in sight"


@in_loop
async def test_a_resize_does_not_throw_the_reader_of_a_tall_answer_back() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        tall = Item(Message(role="user", text="\n".join(f"line {i}" for i in range(100))))
        page = await open_page(pilot, [tall])
        assert bodies(page)[-1] == "line 99"
        page.scroll_lines(-40)
        await resize(pilot, WIDTH, HEIGHT - 5)
        assert "user" not in bodies(page)
        page.scroll_lines(100)
        await resize(pilot, WIDTH + 20, HEIGHT)
        assert bodies(page)[-1] == "line 99"


@in_loop
async def test_a_click_selects_the_block_under_it() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        items = conversation(3)
        page = await open_page(pilot, items)
        row = next(y for y, text in enumerate(rows(page)) if "text of 1" in text)
        await pilot.click(offset=(8, row))
        await pilot.click(offset=(8, HEIGHT - 1))
        await pilot.pause()
        app = pilot.app
        assert isinstance(app, TinyApp)
        assert app.clicked == [items[1].message.uid]


@in_loop
async def test_the_mouse_wheel_scrolls() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        page = await open_page(pilot, conversation(30), 0)
        before = rows(page)
        await pilot._post_mouse_events([view.events.MouseScrollDown], widget=page)
        await pilot.pause()
        assert rows(page)[:-3] == before[3:]
        await pilot._post_mouse_events([view.events.MouseScrollUp], widget=page)
        await pilot.pause()
        assert rows(page) == before


@in_loop
async def test_the_selected_block_lies_on_its_own_ground_while_the_page_has_the_focus() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        items = conversation(3)
        page = await open_page(pilot, items)

        def grounds() -> list[str]:
            styles = [seg.style for y in range(9) for seg in page.render_line(y) if seg.text.strip(" ▌█|")]
            return [str(style.bgcolor) for style in styles if style is not None]

        assert len(set(grounds()[:4])) == 1
        assert grounds()[4] != grounds()[0]
        page.screen.set_focus(None)
        await pilot.pause()
        assert len(set(grounds())) == 1


@in_loop
async def test_room_is_kept_where_the_editor_goes() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        items = conversation(3)
        items[1] = items[1]._replace(editing=4)
        page = await open_page(pilot, items, 1)
        assert page.body_region(0) is None
        region = page.body_region(1)
        assert region is not None
        heading = next(y for y, row in enumerate(rows(page)) if "assistant" in row)
        assert region == Region(MARGIN + INDENT, heading + 1, page.editor_width, 4)
        page.show(conversation(200), 0, {})
        page.show([*items, *conversation(200)], 100, {})
        page.reveal()
        assert page.body_region(1) is None, "out of sight"


@in_loop
async def test_an_empty_page_says_what_to_do() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        app = pilot.app
        assert isinstance(app, TinyApp)
        app.page.show((), -1, {}, ["Nothing yet.", "Press a to write. " * 8])
        text = " ".join(row.strip() for row in rows(app.page) if row.strip())
        assert text == ("Nothing yet. " + "Press a to write. " * 8).strip()
        assert not app.page.scroll_lines(3)
        assert not app.page.more_below
        await resize(pilot, 12, 3)
        assert len(rows(app.page)) == 3


@in_loop
async def test_values_of_variables_are_shown_and_change() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        items = [Item(Message(role="user", text="Dear {{name}}"))]
        page = await open_page(pilot, items)
        assert "Dear {{name}}" in bodies(page)
        page.show(items, 0, {"name": "李雷"})
        assert "Dear 李雷" in bodies(page)
        page.show(items, 0, {"name": "韩梅梅"})
        assert "Dear 韩梅梅" in bodies(page)
        # Above a message that is being edited, too.
        items.append(Item(Message(role="user", text="draft"), editing=1))
        page.show(items, 1, {"name": "韩梅梅"})
        page.show(items, 1, {"name": "李雷"})
        assert "Dear 李雷" in bodies(page)


@in_loop
async def test_a_theme_changes_every_line() -> None:
    async with TinyApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        app = pilot.app
        assert isinstance(app, TinyApp)
        page = await open_page(pilot, conversation(3))
        before = [page.render_line(y) for y in range(6)]
        page.restyle(Inks(app.themes[1].colors))
        after = [page.render_line(y) for y in range(6)]
        assert [strip.text for strip in before] == [strip.text for strip in after]
        assert all(a != b for a, b in zip(before, after, strict=True))
