import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiao.workbench import variables
from qiao.workbench.conversation import Message, Take
from qiao.workbench.errors import Unreadable
from qiao.workbench.variables import Names, Run, filled, message_filled, message_names, message_runs, names, runs


def test_values_are_put_in() -> None:
    assert filled("I am {{name}}, {{ name }}; {{\tcity }}.", {"name": "Li Lei", "city": "杭州"}) == (
        "I am Li Lei, Li Lei; 杭州."
    )


def test_a_name_may_be_chinese() -> None:
    assert filled("{{姓名}}", {"姓名": "李雷"}) == "李雷"


def test_a_value_is_not_searched_again() -> None:
    assert filled("{{a}}", {"a": "{{b}}", "b": "x"}) == "{{b}}"
    assert filled("{{a}}{{b}}", {"a": "{{", "b": "a}}"}) == "{{a}}"


@pytest.mark.parametrize("text", ["{name}", "{{}}", "{{1a}}", "{{a b}}", "{{a.b}}", "{{a|upper}}", "{ {a} }", "{{a}"])
def test_what_is_no_variable_stays(text: str) -> None:
    assert filled(text, {"a": "x", "name": "x"}) == text
    assert names(text) == []


def test_a_variable_without_a_value_is_refused_by_name() -> None:
    with pytest.raises(Unreadable, match="missing"):
        filled("{{there}} {{missing}}", {"there": "x"})


def test_an_empty_value_is_a_value() -> None:
    assert filled("a{{x}}b", {"x": ""}) == "ab"


def test_names_come_once_and_in_order() -> None:
    assert names("{{b}} {{a}} {{ b }}") == ["b", "a"]


def test_runs_tell_where_each_stretch_comes_from() -> None:
    assert list(runs("Hi {{a}}{{ b }}!", {"a": "x"})) == [
        Run("Hi ", None),
        Run("x", "a"),
        Run("{{ b }}", "b", known=False),
        Run("!", None),
    ]


@given(st.text(alphabet="{}ab \n"), st.dictionaries(st.sampled_from(["a", "b", "ab"]), st.text()))
def test_runs_leave_nothing_out(text: str, values: dict[str, str]) -> None:
    stretches = list(runs(text, values))
    assert "".join(run.text for run in runs(text, {})) == text
    assert {run.variable for run in stretches if run.variable} == set(names(text))
    if all(run.known for run in stretches):
        assert filled(text, values) == "".join(run.text for run in stretches)


def test_what_a_model_wrote_is_no_template() -> None:
    shown = Message(role="assistant", takes=(Take(text="Write {{name}} here."),), chosen=1)
    assert message_filled(shown, {"name": "Li Lei"}) == "Write {{name}} here."
    assert message_names(shown) == []
    assert list(message_runs(shown, {})) == [Run("Write {{name}} here.", None)]


def test_what_is_made_of_it_by_hand_is_one() -> None:
    shown = Message(role="assistant", takes=(Take(text="Write {{name}} here."),), chosen=1)
    edited = shown.with_text(shown.said)
    assert message_filled(edited, {"name": "Li Lei"}) == "Write Li Lei here."
    assert message_names(edited) == ["name"]


KNOWN = [Message(role="user", text=text) for text in ("{{a}}", "{{b}} {{a}}", "{{c}}", "plain", "{{a}} {{d}}", "")]


@given(st.lists(st.lists(st.sampled_from(KNOWN), max_size=5), max_size=4))
def test_names_are_those_of_the_messages_however_these_changed(versions: list[list[Message]]) -> None:
    known = Names()
    for messages in versions:
        expected = list(dict.fromkeys(name for message in messages for name in message_names(message)))
        assert known.of(tuple(messages)) == expected


def test_names_are_looked_for_in_new_messages_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Message] = []

    def noted(message: Message) -> list[str]:
        read.append(message)
        return message_names(message)

    monkeypatch.setattr(variables, "message_names", noted)
    known, messages = Names(), (KNOWN[0], KNOWN[2])
    assert known.of(messages) == ["a", "c"]
    assert known.of((*messages, KNOWN[4])) == ["a", "c", "d"]
    assert known.of((KNOWN[1], *messages[1:], KNOWN[4])) == ["b", "a", "c", "d"]
    assert read == [KNOWN[0], KNOWN[2], KNOWN[4], KNOWN[1]]
