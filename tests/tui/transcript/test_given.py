"""What a model wrote keeps its colour while a base model's page is edited."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from qiao.tui.transcript.given import Given
from qiao.tui.transcript.long_text import LongDocument

from ..actions.test_page import editor, page
from ..driving import in_loop

TEXTS = st.text("ab\n", max_size=12)
EDITS = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), TEXTS), max_size=4)


def coloured(document: LongDocument) -> str:
    """What is shown as a model's, line by line."""
    assert document.given is not None
    rows = range(document.line_count)
    found = [sorted(set(document.given.on_row(row, document.rows))) for row in rows]
    return "|".join(document.rows[row][a:b] for row in rows for a, b in found[row] if a < b)


def place(text: str, index: int) -> tuple[int, int]:
    """The line and the column of a character."""
    return text.count("\n", 0, index), index - text.rfind("\n", 0, index) - 1


@given(TEXTS, st.lists(st.integers(0, 12), max_size=6), EDITS)
def test_what_no_edit_has_touched_is_the_models(text: str, edges: list[int], edits: list[tuple[int, int, str]]) -> None:
    document = LongDocument(text)
    edges = sorted({min(edge, len(text)) for edge in edges})
    stretches = [(a, b) for number, (a, b) in enumerate(pairwise(edges)) if number % 2 == 0]
    document.given = Given(document.rows, stretches)
    keep, end = len(text), len(text)
    now = text
    for one, other, typed in edits:
        top, bottom = sorted((one % (len(now) + 1), other % (len(now) + 1)))
        keep, end = min(keep, top), min(end, len(now) - bottom)
        document.replace_range(place(now, top), place(now, bottom), typed)
        now = now[:top] + typed + now[bottom:]
    assert "\n".join(document.rows) == now
    untouched = [text[a:b] for a, b in stretches if b <= keep or a >= len(text) - end or not edits]
    assert coloured(document) == "|".join(line for piece in untouched for line in piece.split("\n") if line)


@in_loop
async def test_the_models_own_text_is_told_apart_while_the_page_is_edited() -> None:
    async with page(None, says=(" upon a time.\nThe end.",)) as bench:
        await bench.press("e")
        await bench.type("Once")
        await bench.press("ctrl+r")
        await bench.see("The end.", "‹1/1›")
        await bench.press("e")
        await bench.see("the whole text, editing")
        jade = bench.app.inks.style("assistant", "page").color

        def in_jade() -> str:
            strips = [editor(bench).render_line(y) for y in range(editor(bench).size.height)]
            return "".join(s.text for strip in strips for s in strip if s.style and s.style.color == jade)

        await bench.until(lambda: in_jade() == " upon a time.The end.", "the model's text in its colour")
        await bench.type(" Mine.")
        assert in_jade() == " upon a time.The end."
        await bench.press("up", "home", "enter")
        assert in_jade() == ""
