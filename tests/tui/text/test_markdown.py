"""Answers are laid out for reading: every block, in any nesting and either language, and not a word is lost."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qiao.tui.text.glyphs import glyphs
from qiao.tui.text.markdown import fitted, render
from qiao.tui.text.wrap import Line, line_width
from qiao.workbench.visible import visible

BAR, BULLET, RULE = glyphs.bar, glyphs.bullet, glyphs.rule


def text_of(line: Line) -> str:
    return "".join(run.text for run in line)


def shown(text: str, width: int = 60) -> list[str]:
    """What a person reads; trailing blanks aside."""
    return [text_of(line).rstrip() for line in render(visible(text), width)]


def inks(text: str, word: str, width: int = 60) -> set[str]:
    """The names of the inks that a word is painted with."""
    return {
        name for line in render(visible(text), width) for run in line if word in run.text for name in run.ink.split()
    }


def test_headings_stand_out_and_apart() -> None:
    assert shown("# One\ntext\n\nTwo\n---\nmore\n### Three") == ["One", "", "text", "", "Two", "", "more", "", "Three"]
    assert inks("# One\ntext", "One") == {"heading"}


def test_a_tight_list_has_no_blank_lines() -> None:
    assert shown("Buy:\n\n- milk\n- eggs\n  - brown\n  - white\n- tea\n\nDone.") == [
        "Buy:",
        "",
        f"{BULLET} milk",
        f"{BULLET} eggs",
        f"  {BULLET} brown",
        f"  {BULLET} white",
        f"{BULLET} tea",
        "",
        "Done.",
    ]


def test_a_loose_list_keeps_its_blank_lines() -> None:
    assert shown("- one\n\n- two\n\n  - inner\n\n  more of two\n\n- three") == [
        f"{BULLET} one",
        "",
        f"{BULLET} two",
        "",
        f"  {BULLET} inner",
        "",
        "  more of two",
        "",
        f"{BULLET} three",
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("3. c\n4. d", ["3. c", "4. d"]),
        ("0. zero\n1. one", ["0. zero", "1. one"]),
        ("1) a\n2) b", ["1) a", "2) b"]),
        ("9. nine\n10. ten\n    more", ["9. nine", "10. ten", "    more"]),
    ],
)
def test_ordered_lists_count_from_where_they_start(source: str, expected: list[str]) -> None:
    assert shown(source) == expected


def test_a_long_item_hangs_below_its_own_text() -> None:
    assert shown("- one two three four", 12) == [f"{BULLET} one two", "  three four"]


def test_an_empty_item_is_shown() -> None:
    assert shown("- a\n-\n- c") == [f"{BULLET} a", BULLET, f"{BULLET} c"]


def test_list_and_code_in_one_item() -> None:
    assert shown("1. Run:\n   ```sh\n   ls\n   ```\n2. Done") == ["1. Run:", "    sh", "    ls", "", "2. Done"]


def test_quotes_have_a_bar_and_only_beside_themselves() -> None:
    assert shown("He said:\n\n> one\n> two\n>\n> > inner\n\nand left") == [
        "He said:",
        "",
        f"{BAR} one",
        f"{BAR} two",
        BAR,
        f"{BAR} {BAR} inner",
        "",
        "and left",
    ]


def test_a_fence_keeps_every_blank_and_needs_no_end() -> None:
    source = "```python\ndef f(x):\n    return  x * 2  # [red]\n\n\nprint(f(1))"
    assert shown(source) == [" python", " def f(x):", "     return  x * 2  # [red]", "", "", " print(f(1))"]
    assert inks(source, "return") == {"block"}


def test_indented_code_is_code() -> None:
    assert inks("text\n\n    x = *1*", "x = *1*") == {"block"}


def test_a_rule_is_a_line() -> None:
    assert shown("a\n\n***\n\nb") == ["a", "", RULE * 24, "", "b"]


TABLE = "| name | n | note |\n|:--|--:|---|\n| apple | 1 | red |\n| 梨 | 100 | `x` |"


def test_a_table_stands_in_columns_of_cells() -> None:
    assert shown(TABLE) == [
        "name     n  note",
        RULE * 16,
        "apple    1  red",
        "梨     100  x",
    ]
    assert inks(TABLE, "name") == {"strong"}


def test_a_table_that_is_too_wide_wraps_in_its_cells() -> None:
    lines = shown("| a | b |\n|---|---|\n| one two three four five | x |", 20)
    assert lines == ["a                  b", RULE * 20, "one two three      x", "four five"]


def test_a_chinese_table_wraps_between_characters() -> None:
    lines = shown("| 项目 | 说明 |\n|---|---|\n| 学习 | 让机器从数据中学习，而不是逐条写规则。 |", 20)
    assert lines[:2] == ["项目  说明", RULE * 20]
    assert lines[2:] == ["学习  让机器从数据中", "      学习，而不是逐", "      条写规则。"]


def test_a_table_with_too_many_columns_becomes_records() -> None:
    head = "|" + "|".join(f"c{i}" for i in range(12)) + "|"
    lines = shown(f"{head}\n{'|---' * 12}|\n{'|some long text' * 12}|\n{'|more text here' * 12}|", 30)
    assert lines[0] == "c0  some long text"
    assert lines[12:14] == ["", "c0  more text here"]


def test_ragged_rows_lose_nothing() -> None:
    short = shown("| a | b |\n|---|---|\n| 1 |")
    assert short == ["a  b", RULE * 4, "1"]
    long = shown("| a | b |\n|---|---|\n| 1 | 2 | three |")
    assert long[-1] == "| 1 | 2 | three |"


def test_links_show_where_they_lead() -> None:
    assert shown("see [the docs](http://x.org/a 'Title') or <http://y.org>") == [
        'see the docs (http://x.org/a "Title") or http://y.org'
    ]
    assert inks("[the docs](http://x.org)", "docs") == {"text", "link"}


def test_references_stay_where_they_stand() -> None:
    assert shown("As said [1].\n\n[1]: http://x.org/paper") == ["As said [1].", "", "[1]: http://x.org/paper"]


def test_an_image_is_its_words_and_its_address() -> None:
    assert shown("![a *cat*](cat.png)") == ["[a *cat*](cat.png)"]


def test_html_is_text() -> None:
    assert shown("<think>\nhm **so**\n</think>\n\na<br>b <b>c</b>") == [
        "<think>",
        "hm **so**",
        "</think>",
        "",
        "a<br>b <b>c</b>",
    ]


def test_line_breaks_are_kept() -> None:
    assert shown("Roses are red,\nviolets are blue,  \nsugar\\\nis sweet") == [
        "Roses are red,",
        "violets are blue,",
        "sugar",
        "is sweet",
    ]


def test_emphasis_nests() -> None:
    source = "plain *em **both** em* ~~gone~~ `code`"
    assert shown(source) == ["plain em both em gone code"]
    assert inks(source, "both") == {"text", "em", "strong"}
    assert inks(source, "gone") == {"text", "struck"}
    assert inks(source, "code") == {"text", "code"}


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("这是**重点**内容", "这是重点内容"),
        ("这是**“重点”**内容", "这是“重点”内容"),
        ("请看**《红楼梦》**一书", "请看《红楼梦》一书"),
        ("**结论：**先做重点", "结论：先做重点"),
        ("他说*（轻声地）*重点", "他说（轻声地）重点"),
        ("用**`重点`**函数", "用重点函数"),
    ],
)
def test_emphasis_works_without_blanks_around_it_in_chinese(source: str, read: str) -> None:
    assert shown(source) == [read]


@pytest.mark.parametrize("source", ["2 * 3 * 4", "a_b_c", "这是 ** 什么 ** 呢", "snake_case_名字", "5*3"])
def test_what_is_no_emphasis_stays_as_it_is(source: str) -> None:
    assert shown(source) == [source]


def test_entities_become_no_controls() -> None:
    text = "a&#13;b &#x202e;c &NewLine;d &#9;e &zwj;&lt;f&gt; ![](&#13;) [x](<&#13;y>)\n\n```a&#x202e;b\nx\n```"
    painted = "".join(shown(text))
    assert not re.search("[\x00-\x1f\x7f-\x9f\u200d\u202a-\u202e\u2066-\u2069]", painted)
    assert "␍" in painted
    assert "↔" in painted
    assert "<f>" in painted


def test_brackets_are_text() -> None:
    assert shown("[red]not red[/red] [bold magenta]") == ["[red]not red[/red] [bold magenta]"]


HOSTILE = {
    "quotes": ">" * 5000,
    "quoted word": ">" * 5000 + " end",
    "asterisks": "*" * 20000,
    "open emphasis": "*a " * 7000,
    "closing emphasis": "a* " * 7000,
    "brackets": "[" * 20000,
    "images": "![" * 10000,
    "backticks": " ".join("`" * (i % 200) for i in range(200)),
    "bullets": "- " * 10000 + "end",
    "numbers": "1. " * 7000 + "end",
    "staircase": "\n".join(" " * (2 * i) + "- a" for i in range(300)),
    "wide table": "|x" * 1000 + "|\n" + "|-" * 1000 + "|\n" + "|a" * 1000 + "|",
    "long cell": "|a|b|\n|-|-|\n|" + "x " * 10000 + "|y|",
    "comments": "<!--" * 5000,
    "angles": "<" * 20000,
    "links": "[a](b" * 4000,
    "mixture": "*_~[]()`<>|#-\n" * 1500,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_laid_out_all_the_same(name: str) -> None:
    lines = render(HOSTILE[name], 60)
    assert lines
    assert all(line_width(line) <= 60 for line in lines)
    if "end" in HOSTILE[name]:
        assert any("end" in text_of(line) for line in lines)


def test_deep_nesting_loses_no_word() -> None:
    source = "\n".join(" " * (2 * i) + f"- w{i:03}" for i in range(60))
    assert set(re.findall(r"w\d{3}", "\n".join(shown(source)))) == {f"w{i:03}" for i in range(60)}


def test_nothing_is_nothing() -> None:
    assert shown("") == []
    assert shown(" \n\n ") == []


FRAGMENTS = (
    "@ @",
    "# @ @",
    "- @\n- @",
    "-\n- @",
    "7. @ **@**\n8. @",
    "> @\n> @",
    "> - @\n>   > @",
    "```@\n@ @\n```",
    "~~~\n@",
    "    @ @",
    "| @ | @ |\n|---|--:|\n| @ | @ |",
    "| @ |\n|---|\n| @ | @ | @ |",
    "***",
    "@\n===",
    "<div @>@</div>",
    "<!-- @ @",
    "[@](@ '@') ![@](@)",
    "[@]: @",
    "*@ **@ `@` @** @*",
    "**“@”**@",
    "\\*@\\* &amp; &#64; @",
    "天地玄黄，@ 宇宙洪荒。@（日月盈昃）",
    "@  \n@\\\n@",
    "- - - 1. @",
    "@ <@> ~~@~~",
)
fragments = st.lists(
    st.tuples(st.sampled_from(["", "", "> ", "  ", "- ", "    ", "1. "]), st.sampled_from(FRAGMENTS)), max_size=7
)


def numbered(pieces: list[tuple[str, str]], gap: str) -> str:
    """The fragments as one text, each `@` a word of its own."""
    source = gap.join(prefix + piece.replace("\n", "\n" + " " * len(prefix)) for prefix, piece in pieces)
    first, *others = source.split("@")
    return first + "".join(f"w{number:03}{part}" for number, part in enumerate(others))


@settings(max_examples=300)
@given(fragments, st.sampled_from(["\n", "\n\n"]), st.integers(1, 90))
def test_every_line_fits(pieces: list[tuple[str, str]], gap: str, width: int) -> None:
    assert all(line_width(line) <= max(width, 8) for line in render(numbered(pieces, gap), width))


@settings(max_examples=300)
@given(st.text(st.sampled_from([*"*_~`#>-+|:[]()<>!\\&; \n1.a字，“”"]), max_size=200), st.integers(8, 40))
def test_every_line_fits_whatever_the_marks(text: str, width: int) -> None:
    lines = render(text, width)
    assert all(line_width(line) <= width for line in lines)
    assert sorted(c for line in lines for c in text_of(line) if c == "字") == ["字"] * text.count("字")


@settings(max_examples=300)
@given(fragments, st.sampled_from(["\n", "\n\n"]))
def test_no_word_is_lost(pieces: list[tuple[str, str]], gap: str) -> None:
    source = numbered(pieces, gap)
    painted = "\n".join(text_of(line) for line in render(source, 80))
    assert set(re.findall(r"w\d{3}", painted)) == set(re.findall(r"w\d{3}", source))


@given(st.lists(st.integers(1, 200), min_size=1, max_size=12), st.integers(1, 120))
def test_columns_fit_and_the_widest_give_way(wanted: list[int], room: int) -> None:
    widths = fitted(wanted, room)
    if widths is None:
        assert sum(min(width, 4) for width in wanted) > room
        return
    assert sum(widths) == min(sum(wanted), room)
    assert all(width <= want for width, want in zip(widths, wanted, strict=True))
    cap = max(widths)
    assert all(width >= min(want, cap - 1) for width, want in zip(widths, wanted, strict=True))
