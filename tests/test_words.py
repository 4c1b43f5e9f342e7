"""The word catalogue: complete in both languages, and in step with the source that says it."""

import ast
import re
import string
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from qiao.workbench import words

ROOT = Path(__file__).parents[1]
WORDS = ROOT / "workbench" / "words"
AREAS = sorted(path.stem for path in WORDS.glob("*.toml"))
PACKAGES = ("workbench", "backends", "tui", "cli")

RESERVED = {"key", "self"}
"""The names of `say`'s and `QiaoError`'s own parameters: a placeholder can't have them."""

FILE_NAME = re.compile(r"\.(toml|tcss|jsonl?|md|py|csv|log)$")
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,;:?!.()]|[,;?!()][\u4e00-\u9fff]")
"""Half-width punctuation right beside a Chinese character. A colon before one may be an address's: `local:路径`."""


@cache
def area_entries(area: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((WORDS / f"{area}.toml").read_text(encoding="utf-8"))


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """`area.entry` to language to text."""
    return {f"{area}.{entry}": said for area in AREAS for entry, said in area_entries(area).items()}


def fields(text: str) -> set[str]:
    """Everything that stands in single braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def placeholders(text: str) -> set[str]:
    return {name for name in fields(text) if name.isidentifier()}


class Said(NamedTuple):
    """A place in the source that says an entry, or makes an error of one."""

    where: str
    key: str
    params: frozenset[str] | None
    """None: given as a mapping, so not known here."""


class Source(NamedTuple):
    """What the four packages' source shows of the words it uses."""

    said: list[Said]
    constants: frozenset[str]
    """Every string in the source: what a key put together at run time can be made of."""
    patterns: frozenset[str]
    """Keys put together at run time, as regular expressions with a group for each part that isn't written out."""


def error_names(trees: list[ast.Module]) -> set[str]:
    """`QiaoError` and all that is derived from it, by name."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    names = {"QiaoError"}
    while more := {name for name, over in bases.items() if over & names} - names:
        names |= more
    return names


def key_pattern(node: ast.expr) -> str | None:
    """A key as a regular expression: an f-string's or a sum's written parts, and `(.+)` for the others."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(key_pattern(part) or "(.+)" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (key_pattern(node.left) or "(.+)") + (key_pattern(node.right) or "(.+)")
    return None


def called_name(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


@cache
def source() -> Source:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    speakers = error_names(trees) | {"say"}
    said: list[Said] = []
    patterns: set[str] = set()
    for path, tree in zip(paths, trees, strict=True):
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr | ast.BinOp):
                patterns.add(key_pattern(node) or "")
            if not (isinstance(node, ast.Call) and called_name(node) in speakers and node.args):
                continue
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            names = [keyword.arg for keyword in node.keywords]
            params = None if None in names else frozenset(name for name in names if name is not None)
            said += [Said(where, key, params) for key in written_keys(node.args[0])]
    constants = frozenset(
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    keys = re.compile(rf"({'|'.join(AREAS)})\\\.(\w|\(\.\+\))+")
    return Source(said, constants, frozenset(p for p in patterns if keys.fullmatch(p) and "(.+)" in p))


def written_keys(node: ast.expr) -> Iterator[str]:
    """The keys that stand in a call: one, or those of both sides of a conditional expression."""
    if isinstance(node, ast.IfExp):
        yield from written_keys(node.body)
        yield from written_keys(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def is_used(key: str) -> bool:
    """Whether the source writes the key out, or can put it together from parts that it writes out."""
    constants = source().constants
    if key in constants:
        return True
    matches = (re.fullmatch(pattern, key) for pattern in source().patterns)
    return any(match and all(part in constants for part in match.groups()) for match in matches)


def test_there_is_a_catalogue() -> None:
    assert {"asking", "theme"} <= set(AREAS)
    assert source().said


@pytest.mark.parametrize("area", AREAS)
def test_every_entry_has_both_languages_and_the_same_placeholders(area: str) -> None:
    for entry, said in area_entries(area).items():
        assert set(said) == {"en", "zh"}, entry
        assert all(text and text == text.strip("\n") for text in said.values()), entry
        names = placeholders(said["en"])
        assert names == placeholders(said["zh"]), entry
        # Text said without values isn't formatted, and may have braces of its own.
        assert not names or fields(said["en"]) == fields(said["zh"]) == names, entry
        assert not names & RESERVED, f"{entry}: a placeholder can't be called {names & RESERVED}"


NOUNS = "tokens|messages|conversations|models|characters|answers(?! with)|lines|cores|files|drafts|seconds|GPUs"
COUNTED = re.compile(rf"\{{\w+\}} (?:more |oldest )?(?:{NOUNS})\b(?!/)")
"""A number and what it counts, in the plural whatever the number is."""
NEVER_ONE = {
    *("cli.convert_holds_one", "library.holds", "screen.nothing_to_fold", "document.busy"),
    *("keys.too_long", "keys.passphrase_short", "screen.tokens_of", "seen.tokens_of"),
    *("fit.tokens", "fit.parts", "fit.longest", "vllm.step_cache", "vllm.cause_heads"),
    *("vllm.cause_too_long", "vllm.cause_cache_too_small", "vllm.cause_cache_short"),
}


@pytest.mark.parametrize("area", AREAS)
def test_what_is_counted_can_be_one(area: str) -> None:
    counted = {f"{area}.{entry}" for entry, said in area_entries(area).items() if COUNTED.search(said["en"])}
    assert counted <= NEVER_ONE


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (1, "1 conversation could not be saved where it belongs, and lies in x. O lists it."),
        (2, "2 conversations could not be saved where they belong, and lie in x. O lists them."),
        (0, "0 conversations could not be saved where they belong, and lie in x. O lists them."),
        ("1", "1 conversation could not be saved where it belongs, and lies in x. O lists it."),
        ("1,001", "1,001 conversations could not be saved where they belong, and lie in x. O lists them."),
    ],
)
def test_one_and_many_are_told_apart(n: object, said: str) -> None:
    assert words.say("screen.rescued", n=n, folder="x") == said


def test_a_value_is_no_form() -> None:
    assert words.say("screen.rescued", n=1, folder="{n:a|b}").endswith("lies in {n:a|b}. O lists it.")


@pytest.mark.parametrize("area", AREAS)
def test_chinese_has_full_width_punctuation(area: str) -> None:
    wrong = {entry: said["zh"] for entry, said in area_entries(area).items() if HALF_WIDTH.search(said["zh"])}
    assert not wrong


@pytest.mark.parametrize("area", AREAS)
def test_an_area_is_read_as_toml_reads_it(area: str) -> None:
    assert words.catalogue(area) == area_entries(area)


@pytest.mark.parametrize("area", AREAS)
def test_an_area_has_one_line_an_entry(area: str) -> None:
    lines = [line for line in (WORDS / f"{area}.toml").read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len([line for line in lines if not line.startswith("#")]) == len(area_entries(area))


def test_every_key_that_is_said_stands_in_the_catalogue() -> None:
    missing = [f"{said.where}: {said.key}" for said in source().said if said.key not in catalogue()]
    assert not missing


def test_every_string_that_looks_like_a_key_is_one() -> None:
    areas = "|".join(map(re.escape, AREAS))
    looks = re.compile(rf"({areas})\.[a-z]([a-z0-9_]*[a-z0-9])?")
    keys = {text for text in source().constants if looks.fullmatch(text) and not FILE_NAME.search(text)}
    strangers = sorted(keys - set(catalogue()))
    assert not strangers


def test_every_key_put_together_at_run_time_can_become_an_entry() -> None:
    hopeless = [p for p in source().patterns if not any(re.fullmatch(p, key) for key in catalogue())]
    assert not hopeless


def test_what_is_said_fills_all_placeholders_and_no_others() -> None:
    wrong = [
        f"{said.where}: {said.key} is given {sorted(said.params)}, and wants {sorted(wanted)}"
        for said in source().said
        if said.params is not None
        and said.key in catalogue()
        and said.params != (wanted := placeholders(catalogue()[said.key]["en"]))
    ]
    assert not wrong


@pytest.mark.parametrize("area", AREAS)
def test_every_entry_is_said_somewhere(area: str) -> None:
    unused = [entry for entry in area_entries(area) if not is_used(f"{area}.{entry}")]
    assert not unused
