"""The documents: the same in both languages, with links that lead somewhere and commands and keys that exist."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from qiao.cli import arguments
from qiao.tui.actions.table import ACTIONS, Keys
from qiao.tui.look.theme_files import load_themes
from qiao.workbench import conversation_file

ROOT = Path(__file__).parents[1]
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


class Block(NamedTuple):
    """A fenced block: its language, its lines without comments, and the number of the section that it stands in."""

    language: str
    lines: tuple[str, ...]
    section: int


def blocks(path: Path) -> list[Block]:
    found: list[Block] = []
    section = 0
    inside: tuple[str, list[str]] | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            if inside is None:
                inside = (line[3:], [])
            else:
                found.append(Block(inside[0], tuple(inside[1]), section))
                inside = None
        elif inside is not None:
            inside[1].append(re.sub(r"\s+# .*$", "", line))
        elif line.startswith("## "):
            section += 1
    return found


def headings(path: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(r"^(#+) ", text, re.MULTILINE)


def first_column(path: Path) -> list[str]:
    """The code in the first column of the document's tables, row by row."""
    rows = re.findall(r"^\|(.+?)\|", path.read_text(encoding="utf-8"), re.MULTILINE)
    return [" ".join(re.findall(r"`([^`]+)`", row)) for row in rows]


def keys_table(path: Path) -> list[str]:
    section = re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[3]
    rows = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    # Within a table Markdown wants a bar with a backslash.
    return [key.replace("\\|", "|") for row in rows for key in re.findall(r"`([^`]+)`", row)]


def commands() -> list[str]:
    """Every line of the README that calls `qiao`, from there on."""
    lines = [line for block in blocks(ENGLISH) if block.language == "sh" for line in block.lines]
    return [match[1] for line in lines if (match := re.search(r"(?:^|\| |/)(qiao( .*)?)$", line))]


def test_both_readmes_have_the_same_sections_and_the_same_code() -> None:
    assert headings(ENGLISH) == headings(CHINESE)
    assert blocks(ENGLISH) == blocks(CHINESE)


def test_both_readmes_have_the_same_keys() -> None:
    assert keys_table(ENGLISH) == keys_table(CHINESE)
    assert len(first_column(ENGLISH)) == len(first_column(CHINESE))


def test_starting_and_testing_are_one_line_each() -> None:
    start, tests = [block.lines for block in blocks(ENGLISH) if block.section in (1, 2)]
    assert len(start) == len(tests) == 1
    for line in (*start, *tests):
        assert line.startswith("python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e '.[local")
    assert start[0].endswith(" && .venv/bin/qiao --run --from examples/first.toml")
    assert tests[0].endswith(" && .venv/bin/pytest -n 2")
    assert (ROOT / "examples" / "first.toml").is_file()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_that_are_there(document: Path) -> None:
    targets = re.findall(r"\]\(([^)]+)\)", document.read_text(encoding="utf-8"))
    local = [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:", target)]
    missing = [target for target in local if target and not (document.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("line", commands())
def test_every_command_shown_is_understood(line: str) -> None:
    name, *rest = shlex.split(line)[1:]
    if name in arguments.COMMANDS:
        arguments.command(name).parse_args(rest)
    else:
        arguments.workbench().parse_args([name, *rest])


def test_every_key_shown_is_the_key_of_an_action() -> None:
    keys = Keys()
    known = {key for action in ACTIONS for key in keys.shown(action.id)}
    assert keys_table(ENGLISH)
    assert not set(keys_table(ENGLISH)) - known


def test_the_conversation_shown_can_be_read() -> None:
    shown = ["\n".join(block.lines) for block in blocks(ENGLISH) if block.language == "toml"]
    (conversation,) = [text for text in shown if text.startswith("qiao = ")]
    loaded = conversation_file.loads(conversation.encode(), "README.md")
    assert loaded.conversation.messages[0].role == "user"
    assert not loaded.conversation.extra


def test_the_theme_shown_can_be_used(tmp_path: Path) -> None:
    shown = ["\n".join(block.lines) for block in blocks(ENGLISH) if block.language == "toml"]
    (theme,) = [text for text in shown if "[colors]" in text]
    (tmp_path / "dusk.toml").write_text(theme, encoding="utf-8")
    themes, problems = load_themes([tmp_path])
    assert not problems
    assert themes[-1].name == tomllib.loads(theme)["name"]
