"""A key shows itself nowhere, and what can't be one is refused without being quoted."""

import copy
import pickle
import traceback

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiao.backends.keys.key import Key, cleaned
from qiao.workbench.errors import Unreadable

VALUE = "sk-5entinel-0123456789abcdef"


def test_only_its_value_gives_it_away() -> None:
    key = Key(VALUE, "keyring")
    for shown in (repr(key), str(key), f"{key}", f"{[key]}", f"{key!a}", str(key.fingerprint)):
        assert VALUE not in shown
        assert VALUE[:8] not in shown
    for way in (pickle.dumps, copy.deepcopy, msgspec.json.encode):
        with pytest.raises(TypeError):
            way(key)
    with pytest.raises(AttributeError) as caught:
        key.value = "x"
    assert VALUE not in "".join(traceback.format_exception(caught.value))


def test_a_fingerprint_tells_keys_apart_but_not_short_ones() -> None:
    assert Key(VALUE, "file").fingerprint == Key(VALUE, "keyring").fingerprint
    assert Key(VALUE, "file").fingerprint != Key(f"{VALUE}0", "file").fingerprint
    assert Key("secret", "file").fingerprint is None


@pytest.mark.parametrize("around", [" {}\n", "{}\r\n", "\t{} \n\n", "\ufeff{}", "{}\u3000", "'{}'", '"{}"\n', "{}\x00"])
def test_what_surrounds_a_pasted_key_goes_or_is_told(around: str) -> None:
    text = around.format(VALUE)
    if "\x00" in text:
        with pytest.raises(Unreadable, match=f"character {len(text)} of {len(text)}"):
            cleaned(text, place="It")
    else:
        assert cleaned(text, place="It") == VALUE


@pytest.mark.parametrize(
    "wrong", ["“sk-quoted”", "sk-two words", "密钥", "sk-full－width", "sk\nsk", "a\x1b[0m", "x" * 5000]
)
def test_what_cannot_be_a_key_is_refused_unquoted(wrong: str) -> None:
    with pytest.raises(Unreadable) as caught:
        cleaned(wrong, place="$SOME_KEY")
    assert "$SOME_KEY" in str(caught.value)
    assert wrong not in str(caught.value)


@given(st.text())
def test_whatever_passes_can_stand_in_a_header(text: str) -> None:
    try:
        value = cleaned(text, place="It")
    except Unreadable:
        return
    assert value
    assert value.isascii()
    assert value.isprintable()
    assert " " not in value
