"""Places in the flow: stepping over blocks and parts, both ends, and what is laid out anew."""

import pytest

from qiao.tui.transcript.blocks import Item
from qiao.tui.transcript.flow import TOP, Flow, Place
from qiao.tui.transcript.parts import LONG
from qiao.workbench.conversation import Message

WIDTH = 40
FAR = 10**9


def user(text: str) -> Item:
    return Item(Message(role="user", text=text))


def flow_of(*items: Item) -> Flow:
    flow = Flow(lambda: WIDTH)
    flow.hold(items, {})
    return flow


def short() -> Flow:
    """Three blocks, each a heading, its text and a blank line: of 3, 5 and 3 lines."""
    return flow_of(user("one"), user("two\nthree\nfour"), user("five"))


def in_parts() -> Flow:
    """A message in parts between two short ones."""
    text = "\n".join(f"line {number} of many" for number in range(4 * LONG // 15))
    return flow_of(user("before"), user(text), user("after"))


def text_at(flow: Flow, place: Place) -> str | None:
    """The line there; None: a blank one after a block."""
    ((found, line),) = flow.lines_from(place, 1)
    assert found == place
    return None if line is None else "".join(run.text for run in line)


def test_a_page_without_items_has_one_place() -> None:
    flow = flow_of()
    assert flow.end() == TOP
    assert flow.clamp(Place(3, 2, 1)) == TOP
    assert flow.stepped(TOP, 5) == flow.stepped(TOP, -5) == TOP
    assert list(flow.lines_from(TOP, 10)) == []
    assert not flow.is_coming(0)


def test_stepping_goes_on_in_the_next_block() -> None:
    flow = short()
    assert flow.stepped(TOP, 2) == Place(0, 0, 2)
    assert flow.stepped(TOP, 3) == Place(1, 0, 0)
    assert flow.stepped(TOP, 8) == Place(2, 0, 0)
    assert flow.stepped(Place(2, 0, 1), -2) == Place(1, 0, 4)
    assert flow.stepped(Place(2, 0, 1), -7) == Place(0, 0, 2)


def test_both_ends_hold() -> None:
    flow = short()
    assert flow.end() == Place(2, 0, 2)
    assert flow.stepped(TOP, -1) == TOP
    assert flow.stepped(Place(1, 0, 2), -FAR) == TOP
    assert flow.stepped(flow.end(), 1) == flow.stepped(TOP, FAR) == flow.end()


def test_a_place_that_is_gone_is_the_nearest_that_is_there() -> None:
    flow = short()
    assert flow.clamp(Place(1, 0, 3)) == Place(1, 0, 3)
    assert flow.clamp(Place(1, 0, 99)) == Place(1, 0, 4)
    assert flow.clamp(Place(0, 7, 0)) == Place(0, 0, 2)
    assert flow.clamp(Place(9, 0, 0)) == flow.end()
    assert flow.clamp(Place(-1, 0, 5)) == TOP
    long = flow_of(in_parts().items[1])
    assert long.clamp(Place(1, 0, 0)) == long.end()
    assert long.end().part == long.last_line(0).part >= 3


def test_the_blank_line_after_a_block_is_a_place_but_not_in_its_extent() -> None:
    flow = short()
    assert flow.extent(1) == (Place(1, 0, 0), Place(1, 0, 3))
    assert flow.last_line(1) == Place(1, 0, 3)
    assert text_at(flow, Place(1, 0, 3)) == "four"
    assert text_at(flow, Place(1, 0, 4)) is None


def test_lines_are_read_across_blocks_to_the_end() -> None:
    flow = short()
    found = list(flow.lines_from(Place(0, 0, 1), 4))
    assert [place for place, _ in found] == [Place(0, 0, 1), Place(0, 0, 2), Place(1, 0, 0), Place(1, 0, 1)]
    assert [line is None for _, line in found] == [False, True, False, False]
    assert len(list(flow.lines_from(TOP, FAR))) == 3 + 5 + 3


def test_a_long_message_is_stepped_through_part_by_part() -> None:
    flow = in_parts()
    first, last = flow.extent(1)
    assert first == Place(1, 0, 0)
    assert last.part >= 3
    places = [place for place, _ in flow.lines_from(TOP, FAR)]
    # One after another, up and down, and nothing twice.
    assert places == sorted(set(places))
    assert [flow.stepped(place, 1) for place in places[:-1]] == places[1:]
    assert [flow.stepped(place, -1) for place in places[1:]] == places[:-1]
    assert flow.stepped(TOP, len(places) - 1) == places[-1] == flow.end() == Place(2, 0, 2)
    # Between parts there is neither a heading nor a blank line.
    inside = places.index(Place(1, 1, 0))
    number = inside - places.index(first)
    assert text_at(flow, places[inside - 1]) == f"line {number - 2} of many"
    assert text_at(flow, places[inside]) == f"line {number - 1} of many"


def test_of_a_long_message_one_part_is_laid_out_to_stand_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = in_parts()
    laid: list[object] = []
    laid_out = flow._laid_out
    monkeypatch.setattr(flow, "_laid_out", lambda *arguments: laid.append(arguments) or laid_out(*arguments))
    flow.stepped(flow.last_line(1), -10)
    flow.stepped(flow.last_line(1), -12)
    assert len(laid) == 1


def test_a_text_is_found_where_it_is_laid_out() -> None:
    flow = in_parts()
    text = flow.items[1].message.text
    line = "line 3000 of many"
    offset = text.index(line)
    place = flow.place_of(1, line, 5, offset + 5)
    assert place is not None
    assert place.part > 0
    assert text_at(flow, place) == line
    assert flow.place_of(0, "nowhere", 0, 0) is None


def test_a_text_is_found_in_a_line_that_goes_through_many_parts() -> None:
    text = " ".join(f"word{number}" for number in range(LONG // 2))
    flow = flow_of(user(text))
    at = text.index("word7000 ")
    place = flow.place_of(0, text, at, at)
    assert place is not None
    assert place.part > 0
    assert "word7000 " in f"{text_at(flow, place)} "


def test_lines_are_kept_until_what_they_depend_on_changes() -> None:
    width = WIDTH
    flow = Flow(lambda: width)
    items = [user("Dear {{name}}, " + "word " * 20)]
    flow.hold(items, {"name": "Ann"})
    kept = flow.lines_of(0, 0)
    flow.hold(items, {"name": "Ann"})
    assert flow.lines_of(0, 0) is kept
    flow.hold(items, {"name": "Bob"})
    assert any(run.text == "Bob" for line in flow.lines_of(0, 0) for run in line)
    wide = len(flow.lines_of(0, 0))
    width = 20
    assert len(flow.lines_of(0, 0)) > wide
