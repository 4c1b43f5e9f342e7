"""Keys and their remapping."""

from itertools import groupby

from qiao.tui.actions.group import Actions
from qiao.tui.actions.table import ACTIONS, Keys
from qiao.tui.bench.screen import WorkbenchScreen
from qiao.tui.sessions.session import Session
from qiao.workbench.document import Document


def test_every_key_has_one_meaning_and_every_action_but_the_tour_a_key() -> None:
    keys = Keys()
    assert keys.problems == []
    for place in ({"conversation", "workbench"}, {"editor"}):
        names = [b.key for b in keys.bindings(*place)]  # pyright: ignore[reportArgumentType]
        assert len(names) == len(set(names))
    assert all(keys.shown(action.id) for action in ACTIONS if action.id != "tour")


def test_what_a_person_chose_goes_first_and_the_rest_keeps_its_other_keys() -> None:
    keys = Keys({"run": "j, f6"})
    assert keys.shown("run") == ["j", "f6"]
    assert keys.shown("next") == ["↓"]
    assert keys.problems == []


def test_an_action_that_loses_its_last_key_is_told() -> None:
    keys = Keys({"run": "t"})
    assert keys.shown("role") == []
    assert len(keys.problems) == 1
    assert "role" in keys.problems[0]


def test_what_is_no_action_or_no_key_is_told_and_left_out() -> None:
    keys = Keys({"fly": "f", "run": "?!,\x1b[31m"})
    assert keys.shown("run") == ["r", "f5"]
    assert len(keys.problems) == 3
    assert not any("\x1b" in problem for problem in keys.problems)


def test_marks_are_written_as_people_write_them() -> None:
    keys = Keys({"help": "?"})
    assert keys.shown("help") == ["?"]
    assert keys.shown("palette") == [":", "ctrl+p"]
    assert keys.shown("join") == ["&"]
    assert keys.shown("next_file") == ["]"]


def test_each_action_is_carried_out_by_one_group_of_the_workbench() -> None:
    groups = Actions.__subclasses__()
    carried_out = [name.removeprefix("do_") for group in groups for name in vars(group) if name.startswith("do_")]
    assert sorted(carried_out) == sorted(action.id for action in ACTIONS)
    screen = WorkbenchScreen([Session(Document.untitled())])
    assert all(screen.carries_out(action.id) for action in ACTIONS)


def test_each_heading_of_the_help_page_stands_there_once() -> None:
    groups = [group for group, _ in groupby(ACTIONS, key=lambda action: action.group)]
    assert len(groups) == len(set(groups))
