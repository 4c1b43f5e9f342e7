"""Sampling parameters read from text."""

import pytest

from qiao.workbench.errors import Unreadable
from qiao.workbench.sampling import NAMES, Sampling
from qiao.workbench.setting import value_of, with_settings


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("temperature=0", "temperature", 0.0),
        ("temperature=1.5", "temperature", 1.5),
        (" top_k = 40", "top_k", 40),
        ("thinking=false", "thinking", False),
        ("seed=9223372036854775807", "seed", 2**63 - 1),
        ('stop=["a", "b"]', "stop", ("a", "b")),
        ("stop=END", "stop", ("END",)),
        ('stop="\\n"', "stop", ("\n",)),
        ("stop= ", "stop", (" ",)),
        ("stop=a\nb=1", "stop", ("a\nb=1",)),
        ("extra={ a = 1 }", "extra", {"a": 1}),
        ('extra={ b = "x=y" }', "extra", {"b": "x=y"}),
    ],
)
def test_a_value_is_read_as_toml_else_as_text(setting: str, name: str, value: object) -> None:
    assert getattr(with_settings(Sampling(), [setting]), name) == value


def test_a_value_can_not_set_a_second_one() -> None:
    assert value_of("1\nother = 2") == "1\nother = 2"


def test_the_later_setting_wins_and_the_others_stay() -> None:
    sampling = with_settings(Sampling(top_p=0.5, seed=1), ["seed=2", "seed=3"])
    assert sampling == Sampling(top_p=0.5, seed=3)


@pytest.mark.parametrize(
    ("setting", "words_in_it"),
    [
        ("heat=1", ["heat", *NAMES]),
        ("unknown={}", ["unknown", *NAMES]),
        ("temperature", ["temperature", "KEY=VALUE"]),
        ("temperature=warm", ["temperature", "warm", "a number of at least 0"]),
        ("temperature=-1", ["-1", "a number of at least 0"]),
        ("temperature=inf", ["inf"]),
        ("temperature=nan", ["nan"]),
        ("top_p=0", ["a number above 0, at most 1"]),
        ("top_k=1.5", ["1.5", "a whole number of at least 0"]),
        ("top_k=true", ["true", "a whole number"]),
        ("n=129", ["a whole number from 1 to 128"]),
        ("presence_penalty=3", ["a number from -2 to 2"]),
        ("repetition_penalty=0", ["a number above 0"]),
        ("thinking=maybe", ["true or false"]),
        ("stop=[1]", ["stop 1", "a text"]),
        ("extra=1", ["a table"]),
        ("temperature=", ["a number"]),
    ],
)
def test_what_is_wrong_is_said_in_one_line(setting: str, words_in_it: list[str]) -> None:
    with pytest.raises(Unreadable) as raised:
        with_settings(Sampling(), [setting])
    said = str(raised.value)
    assert "\n" not in said
    for part in words_in_it:
        assert part in said
