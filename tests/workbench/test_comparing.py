"""What changed from one text to another."""

from hypothesis import given
from hypothesis import strategies as st

from qiao.workbench.comparing import Pair, Stretch, compared


def marked(stretches: tuple[Stretch, ...] | None) -> str | None:
    """Changed parts in brackets."""
    return None if stretches is None else "".join(f"[{text}]" if changed else text for text, changed in stretches)


def shown(left: str, right: str) -> list[tuple[str | None, str | None]]:
    return [(marked(pair.left), marked(pair.right)) for pair in compared(left, right)]


def test_words_that_differ_are_marked_on_both_sides() -> None:
    assert shown("It is Paris.", "It was Lyon.") == [("It [is Paris].", "It [was Lyon].")]


def test_chinese_is_compared_by_character() -> None:
    assert shown("首都是巴黎。", "首都当然是巴黎。") == [("首都是巴黎。", "首都[当然]是巴黎。")]


def test_lines_that_stayed_stand_beside_each_other() -> None:
    assert shown("one\nsame\ntwo", "same\ntwo\nthree") == [
        ("[one]", None),
        ("same", "same"),
        ("two", "two"),
        (None, "[three]"),
    ]


def test_a_line_of_very_many_words_is_taken_as_a_whole() -> None:
    long = "word " * 5000
    assert compared(long, long + "x") == [Pair((Stretch(long, True),), (Stretch(long + "x", True),))]


def test_a_thousand_paragraphs_that_all_differ_dont_take_a_minute() -> None:
    sides = ["\n\n".join(f"{word} {n} " + f"{word} " * 20 for n in range(1000)) for word in ("left", "right")]
    pairs = compared(*sides)
    assert len(pairs) == 1999
    assert marked(pairs[0].left) == "[left] 0 [" + "left " * 20 + "]"


def test_what_comes_again_and_again_stands_beside_itself_around_a_change() -> None:
    code = [f"{line}\n}}\n" for line in range(300)]
    changed = [*code[:150], "new\n}\n", *code[151:]]
    pairs = compared("\n".join(code), "\n".join(changed))
    assert [(pair.left, pair.right) for pair in pairs if not pair.same] == [
        ((Stretch("150", True),), (Stretch("new", True),))
    ]


texts = st.text(st.sampled_from("ab \n巴黎。"), max_size=30)


@given(texts, texts)
def test_each_side_is_its_text_and_what_isnt_marked_is_the_same(left: str, right: str) -> None:
    pairs = compared(left, right)
    for number, text in enumerate((left, right)):
        sides = [pair[number] for pair in pairs]
        assert "\n".join("".join(part.text for part in side) for side in sides if side is not None) == text
    kept = [["".join(s.text for s in pair[n] or () if not s.changed) for pair in pairs] for n in (0, 1)]
    assert kept[0] == kept[1]
    assert all(pair.same for pair in pairs) == (left == right)
