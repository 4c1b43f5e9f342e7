"""Markdown that streams in is laid out as it will stand at the end."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qiao.tui.text import live_markdown
from qiao.tui.text.live_markdown import LiveMarkdown
from qiao.tui.text.markdown import render
from qiao.tui.text.wrap import Line

ANSWER = """\
# Cooking rice

Two cups of *short* rice, **three** of water:

1. wash it
2. soak it

   for an hour
3. cook it

| minutes | heat |
| ---: | --- |
| 10 | high |
| 15 | low |

```python
def rest(minutes):

    return minutes - 1
```

> Patience is a spice.

推敲二字出自贾岛的故事：**僧推月下门**，还是僧敲月下门？

- one
- two

2024 was a good year.
"""

BLOCKS = st.sampled_from(
    [
        "A paragraph of words\nin two lines.",
        "## A heading",
        "- one\n- two\n  - inner",
        "- loose\n\n- list\n\n  more of it",
        "3. three\n4. four",
        "> quoted\n> twice",
        "```\ncode\n\n- no list\n\n# no heading\n```",
        "~~~text\n```\n\nwithin\n~~~",
        "| a | b |\n| - | - |\n| 1 | 2 |",
        "Title\n=====",
        "---",
        "    indented code\n\n    goes on",
        "**bold** begins",
        "-5 degrees",
        "12 apples",
        "中文段落。",
        "* star\n\nAfter it.",
        "Text ends in\n- a list",
        "\\# no heading",
        "",
    ]
)


def live(text: str, width: int) -> list[Line]:
    """As much of it as this, at once."""
    return LiveMarkdown().lines(text, width)


def words(lines: list[Line]) -> list[str]:
    return ["".join(run.text for run in line) for line in lines]


@pytest.fixture(autouse=True)
def on_any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of these texts takes long to lay out, whatever else the machine has to do."""
    monkeypatch.setattr(live_markdown, "SLOW_SECONDS", 60.0)


def test_an_answer_stands_while_it_grows_as_it_will_stand() -> None:
    final = render(ANSWER, 40)
    growing = LiveMarkdown()
    most = 0
    for end in range(len(ANSWER) + 1):
        lines = growing.lines(ANSWER[:end], 40)
        assert lines == live(ANSWER[:end], 40)
        above = growing._lines
        assert above == final[: len(above)] == lines[: len(above)]
        most = max(most, len(above))
    assert growing.lines(ANSWER, 40) == final
    assert most > len(final) / 2


@given(st.lists(BLOCKS, max_size=8), st.integers(8, 60))
@settings(max_examples=200)
@example(["- one\n- two\n  - inner", "", "- one\n- two\n  - inner"], 20)
@example(["```\ncode\n\n- no list\n\n# no heading\n```", "---", "-5 degrees"], 20)
def test_a_finished_text_is_laid_out_as_it_is_elsewhere(blocks: list[str], width: int) -> None:
    text = "\n\n".join(blocks) + "\n"
    assert live(text, width) == render(text, width)


@given(st.text(alphabet="ab #*-_`~>|1.\n\t中", max_size=60))
@settings(max_examples=300)
def test_any_text_can_be_laid_out_at_any_moment(text: str) -> None:
    lines = live(text, 20)
    shown = "".join(words(lines))
    assert all(letter in shown for letter in "ab中" if letter in text and "`" not in text and "~" not in text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Buy:\n-", ["Buy:"]),
        ("Buy:\n- milk", ["Buy:", "• milk"]),
        ("```\na = 1\n``", [" a = 1"]),
        ("42", ["42"]),
        ("**bo", ["**bo"]),
        ("**bold**", ["bold"]),
        ("", []),
    ],
)
def test_what_is_undecided_changes_nothing_above(text: str, shown: list[str]) -> None:
    assert [line.rstrip() for line in words(live(text, 30)) if line.strip()] == shown


def test_only_the_last_block_is_laid_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    laid: list[int] = []

    def counted(text: str, width: int) -> list[Line]:
        laid.append(len(text))
        return render(text, width)

    monkeypatch.setattr(live_markdown, "render", counted)
    growing = LiveMarkdown()
    paragraphs = [f"Paragraph {number} of a long answer that has many words." for number in range(1000)]
    for number in range(1, 1001, 5):
        growing.lines("\n\n".join(paragraphs[:number]), 40)
    assert sum(laid) < 2 * len("\n\n".join(paragraphs))


def test_another_text_or_width_begins_anew() -> None:
    growing = LiveMarkdown()
    for text, width in (("One.\n\nTwo.", 40), ("One.\n\nTwo.\n\nThree.", 10), ("- other\n\nwords", 10), ("", 10)):
        assert growing.lines(text, width) == live(text, width)


def test_a_block_that_takes_long_is_shown_as_it_is_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_markdown, "SLOW_SECONDS", -1.0)
    growing = LiveMarkdown()
    assert words(growing.lines("**one**", 40)) == ["one"]
    assert words(growing.lines("**one** two", 40)) == ["**one** two"]
    assert words(growing.lines("**one** two\n\n**three**", 40)) == ["one two", "", "three"]
