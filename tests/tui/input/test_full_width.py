"""With an input method left on, full-width letters and marks count as their keys."""

import string

import pytest
from textual import events
from textual.keys import _character_to_key

from qiao.tui.actions.table import ACTIONS
from qiao.tui.input.full_width import is_wide_text, plain_key


def key(char: str) -> events.Key:
    """As Textual reports a character that was typed."""
    return events.Key(_character_to_key(char), char)


def full_width(char: str) -> str:
    return "\u3000" if char == " " else chr(ord(char) + 0xFEE0)


@pytest.mark.parametrize("char", [char for char in string.printable if char.isprintable()])
def test_each_full_width_character_is_the_key_it_stands_for(char: str) -> None:
    found = plain_key(key(full_width(char)))
    assert found is not None
    assert (found.key, found.character) == (key(char).key, char)


@pytest.mark.parametrize(
    ("mark", "char"), [("。", "."), ("、", "/"), ("【", "["), ("】", "]"), ("：", ":"), ("？", "?")]
)
def test_marks_that_an_input_method_makes_are_their_keys(mark: str, char: str) -> None:
    found = plain_key(key(mark))
    assert found is not None
    assert found.key == key(char).key


def test_every_action_that_a_character_calls_can_be_called_full_width() -> None:
    plain = {key(char).key: char for char in string.printable if char.isprintable()}
    keys = {name for action in ACTIONS if action.where != "editor" for name in action.keys.split(",")}
    typed = keys & plain.keys()
    assert {"r", "J", "ampersand", "question_mark", "colon"} <= typed
    for name in typed:
        found = plain_key(key(full_width(plain[name])))
        assert found is not None
        assert found.key == name


@pytest.mark.parametrize("char", ["r", " ", "é", "中", "한", "\r", "\x1b", "😀"])
def test_other_keys_stand_for_themselves(char: str) -> None:
    assert plain_key(key(char)) is None


def test_keys_without_a_character_stand_for_themselves() -> None:
    assert plain_key(events.Key("up", None)) is None
    assert plain_key(events.Key("paste", "ｒｒ")) is None
    assert not is_wide_text(events.Key("up", None))


@pytest.mark.parametrize(("char", "wide"), [("中", True), ("你好", True), ("한", True), ("r", False), ("é", False)])
def test_only_wide_text_hints_at_an_input_method(char: str, wide: bool) -> None:
    assert is_wide_text(events.Key(char, char)) is wide
