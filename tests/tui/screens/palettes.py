"""The palette as a test looks at it."""

from textual import events
from textual.keys import _character_to_key

from qiao.tui.panes.rows import Rows

from ..driving import Bench


def listed(bench: Bench) -> list[str]:
    """What there is to choose, from the top."""
    rows = bench.app.screen.query_one(Rows).shown_rows
    return ["".join(run.text for run in row.left) for row in rows if row.key is not None]


def selected(bench: Bench) -> str:
    """What enter takes."""
    rows = bench.app.screen.query_one(Rows)
    row = next(row for row in rows.shown_rows if row.key == rows.selected_key)
    return "".join(run.text for run in row.left)


def burst(bench: Bench, text: str) -> None:
    """Types, without any time between the keys; a CR is enter."""
    for char in text:
        key = "enter" if char == "\r" else _character_to_key(char)
        bench.app.post_message(events.Key(key, char))
