"""esc and a key typed quickly after it are two keys; whatever else a terminal sends is what it was."""

import importlib
import string
from collections.abc import Iterable

import pytest
from textual import events
from textual.message import Message

from qiao.tui.wire import escape
from qiao.tui.wire.escape import ESC, EscapeFirst, LineAnswered

PRINTABLE = [char for char in string.printable if char.isprintable() and char not in "[O"]


def parsed(*reads: str) -> list[Message]:
    """The events for what arrives in these reads, and then nothing more."""
    parser = EscapeFirst()
    found: list[Message] = []
    for data in reads:
        found += list(parser.feed(data))
    if parser._timeout_time is not None:
        # It waits for the rest of a sequence; that moment is over at once.
        parser._timeout_time = 0.0
    return found + list(parser.tick())


def keys(found: Iterable[Message]) -> list[str]:
    return [event.key for event in found if isinstance(event, events.Key)]


@pytest.mark.parametrize("char", PRINTABLE)
def test_esc_and_a_character_in_one_read_are_both_in_that_order(char: str) -> None:
    alone = keys(parsed(char))
    assert len(alone) == 1
    found = parsed(ESC + char)
    assert keys(found) == ["escape", *alone]
    assert [e.character for e in found if isinstance(e, events.Key)][1] == char


@pytest.mark.parametrize("char", "[O")
def test_esc_and_what_begins_a_sequence_are_both_once_nothing_follows(char: str) -> None:
    assert keys(parsed(ESC + char)) == ["escape", *keys(parsed(char))]


@pytest.mark.parametrize("char", "\r\t\x7f")
def test_esc_and_enter_tab_backspace_are_both(char: str) -> None:
    assert keys(parsed(ESC + char)) == ["escape", *keys(parsed(char))]


@pytest.mark.parametrize("char", "中ｒ：é")
def test_esc_and_a_character_that_is_no_ascii_are_both(char: str) -> None:
    found = [e for e in parsed(ESC + char) if isinstance(e, events.Key)]
    assert found[0].key == "escape"
    assert found[-1].character == char
    assert len(found) == 2


@pytest.mark.parametrize("control", ["\x03", "\x12", "\x04"])
def test_esc_and_a_control_key_are_both(control: str) -> None:
    assert keys(parsed(ESC + control)) == ["escape", *keys(parsed(control))]


def test_esc_alone_is_esc() -> None:
    assert keys(parsed(ESC)) == ["escape"]


def test_esc_esc_is_esc_twice() -> None:
    assert keys(parsed(ESC + ESC)) == ["escape", "escape"]
    assert keys(parsed(ESC + ESC + "r")) == ["escape", "escape", "r"]


def test_several_keys_in_one_read_keep_their_order() -> None:
    assert keys(parsed("hi" + ESC + "rjk")) == ["h", "i", "escape", "r", "j", "k"]
    assert keys(parsed("x" + ESC + "j" + ESC + "k")) == ["x", "escape", "j", "escape", "k"]


@pytest.mark.parametrize(
    ("sequence", "key"),
    [
        ("\x1b[A", "up"),
        ("\x1b[B", "down"),
        ("\x1b[C", "right"),
        ("\x1b[D", "left"),
        ("\x1bOA", "up"),
        ("\x1bOD", "left"),
        ("\x1b[H", "home"),
        ("\x1b[F", "end"),
        ("\x1b[5~", "pageup"),
        ("\x1b[6~", "pagedown"),
        ("\x1b[3~", "delete"),
        ("\x1bOP", "f1"),
        ("\x1b[15~", "f5"),
        ("\x1b[24~", "f12"),
        ("\x1b[Z", "shift+tab"),
        ("\x1b[1;5C", "ctrl+right"),
        ("\x1b[1;2A", "shift+up"),
    ],
)
def test_arrows_and_function_keys_are_one_key(sequence: str, key: str) -> None:
    assert keys(parsed(sequence)) == [key]
    assert keys(parsed("a" + sequence + "b")) == ["a", key, "b"]


def test_esc_before_an_arrow_is_both() -> None:
    assert keys(parsed(ESC + "\x1b[A")) == ["escape", "up"]


def test_a_sequence_in_two_reads_is_still_one_key() -> None:
    assert keys(parsed("\x1b[", "A")) == ["up"]
    assert keys(parsed("\x1b", "[15~")) == ["f5"]


@pytest.mark.parametrize(
    ("reads", "waits"), [(("\x1b",), 0.02), (("j", "k\x1b"), 0.02), (("\x1b[",), 0.1), (("\x1b[1",), 0.1)]
)
def test_only_an_esc_that_nothing_follows_may_be_the_key_sooner(reads: tuple[str, ...], waits: float) -> None:
    parser = EscapeFirst()
    assert parser.due == float("inf")
    parser.key_wait = 0.02
    for data in reads:
        for _ in parser.feed(data):
            pass
    assert 0 < parser.due <= waits
    assert waits == 0.02 or parser.due > 0.02
    assert list(parser.tick()) == []


def test_no_wait_is_longer_than_textuals() -> None:
    parser = EscapeFirst()
    parser.key_wait = 5.0
    assert list(parser.feed("\x1b")) == []
    assert parser.due <= 0.1


PASTES = [
    "one\rtwo\rthree",
    "esc \x1br inside",
    "q",
    "[red] 中文 \x1b[A",
    "\x1b[2J\x1b]52;c;aGk=\x07 and " * 9,
    "\x1b" * 40,
]


@pytest.mark.parametrize("text", PASTES)
def test_a_bracketed_paste_is_one_paste_and_no_keys(text: str) -> None:
    found = parsed(f"\x1b[200~{text}\x1b[201~r")
    pasted = [event.text for event in found if isinstance(event, events.Paste)]
    assert keys(found) == ["r"]
    assert pasted == [text]


@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_paste_in_many_reads_is_one_paste(size: int) -> None:
    sent = "one\x1b[31mtwo\x1b\x1b[201~j"
    found = parsed("k\x1b[200~", *(sent[i : i + size] for i in range(0, len(sent), size)))
    assert [event.text for event in found if isinstance(event, events.Paste)] == ["one\x1b[31mtwo\x1b"]
    assert keys(found) == ["k", "j"]


def test_esc_before_a_paste_comes_before_it() -> None:
    found = parsed("x\x1b\x1b[200~text\x1b[201~")
    assert [type(event) for event in found] == [events.Key, events.Key, events.Paste]
    assert keys(found) == ["x", "escape"]


def test_two_pastes_in_one_read_are_two() -> None:
    found = parsed("\x1b[200~a\x1b[201~\x1b[200~b\x1b[201~")
    assert [event.text for event in found if isinstance(event, events.Paste)] == ["a", "b"]


def test_the_mouse_and_focus_are_no_keys() -> None:
    found = parsed("\x1b[<0;5;6M\x1b[<0;5;6m\x1b[I\x1b[O")
    assert keys(found) == []
    assert [type(event) for event in found] == [events.MouseDown, events.MouseUp, events.AppFocus, events.AppBlur]


def test_it_is_in_effect_in_textuals_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = importlib.import_module("textual.drivers.linux_driver")
    monkeypatch.setattr(driver, "XTermParser", escape.XTermParser)
    escape.install()
    assert driver.XTermParser is EscapeFirst, "Textual has moved the name that its driver reads input with"
    escape.install()
    assert driver.XTermParser is EscapeFirst
    source = importlib.import_module("inspect").getsource(driver.LinuxDriver.run_input_thread)
    assert "XTermParser(" in source, "the driver makes its parser elsewhere now"


def test_what_it_overrides_is_still_called_by_textual() -> None:
    assert "_sequence_to_key_events" in escape.XTermParser.parse.__code__.co_names
    assert EscapeFirst._sequence_to_key_events is not escape.XTermParser._sequence_to_key_events


@pytest.mark.parametrize(
    "reads", [("\x1b[0n",), ("\x1b", "[0n"), ("\x1b[0", "n"), ("\x1b[", "0n"), ("\x1b[<0;3;4M", "\x1b[0n")]
)
def test_an_answer_of_the_line_is_told_and_is_no_key(reads: tuple[str, ...]) -> None:
    found = parsed(*reads, "j")
    assert [type(event) for event in found if not isinstance(event, events.MouseEvent)] == [LineAnswered, events.Key]
    assert keys(found) == ["j"]


def test_keys_between_answers_stay_in_order() -> None:
    found = parsed("a\x1b[0nb\x1b[0n\x1bc")
    assert keys(found) == ["a", "b", "escape", "c"]
    assert sum(isinstance(event, LineAnswered) for event in found) == 2


def test_an_answer_in_a_paste_is_pasted() -> None:
    found = parsed("\x1b[200~x\x1b[0ny\x1b[201~")
    assert [event.text for event in found if isinstance(event, events.Paste)] == ["x\x1b[0ny"]
    assert not keys(found)
