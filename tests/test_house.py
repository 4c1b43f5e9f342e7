"""What holds for every file of the house, so that it stays one that others can enter."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGES = ("workbench", "backends", "tui", "cli")
FOLDERS = (*PACKAGES, "themes", "tests", "benchmarks", "examples", "docs", ".ci")
TEXT = {".py", ".toml", ".tcss", ".md", ".txt", ".json", ".jsonl", ".csv", ".sh", ".svg", ""}

MOST_LINES = 500
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}

ELSEWHERE = re.compile(
    "|".join(
        (
            r"(?<![\w.~$}-])/(work|root|Users)/",  # somebody's machine
            r"pypi" + r"\.org|pythonhosted" + r"\.org|registry\.npmjs|mirrors?\.\w+\.\w+",  # an index or a mirror
        )
    )
)
"""What is true on one machine only: installing goes by the user's own configuration."""


@cache
def files() -> list[Path]:
    """All text files of the repository, caches aside."""
    inside = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
    at_top = [path for path in sorted(ROOT.iterdir()) if path.is_file() and path.name not in ("LICENSE", ".git")]
    return [path for path in at_top + inside if "__pycache__" not in path.parts and path.suffix in TEXT]


def python_files() -> list[Path]:
    return [path for path in files() if path.suffix == ".py"]


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_house_is_looked_at() -> None:
    names = {shown(path) for path in files()}
    assert {"README.md", "pyproject.toml", "workbench/seam.py", "tests/test_house.py", ".ci/run"} <= names


def test_no_python_file_is_too_long_to_be_one_idea() -> None:
    lengths = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert not {name: length for name, length in lengths.items() if length > MOST_LINES}


def test_no_file_is_named_for_nothing() -> None:
    assert not [shown(path) for path in files() if VAGUE_NAMES & set(re.split(r"[_.-]", path.stem))]


def test_every_module_says_what_it_is() -> None:
    modules = [path for path in python_files() if shown(path).startswith(PACKAGES)]
    sources = {path: path.read_text(encoding="utf-8") for path in modules}
    silent = [shown(p) for p, text in sources.items() if text.strip() and not ast.get_docstring(ast.parse(text))]
    assert not silent


def test_nothing_is_true_on_one_machine_only() -> None:
    told = [
        f"{shown(path)}:{number}: {line.strip()[:100]}"
        for path in files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if ELSEWHERE.search(line)
    ]
    assert not told


def project() -> dict[str, list[str]]:
    """Extra to what it asks for; what every install asks for under the empty name."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"": table["dependencies"], **table["optional-dependencies"]}


def constraints() -> dict[str, str]:
    """Name to version."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line.strip() and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


@pytest.mark.parametrize("extra", ["", "local", "dev"])
def test_every_dependency_is_pinned_within_what_is_asked_for(extra: str) -> None:
    asked = [Requirement(text) for text in project()[extra]]
    # pip is the one that reads the constraints: it is whatever the environment has.
    by_name = {canonicalize_name(one.name): one.specifier for one in asked if one.name != "pip"}
    assert not [name for name in by_name if name not in constraints()]
    assert not [name for name, allowed in by_name.items() if not allowed.contains(constraints()[name])]


def test_constraints_are_names_and_versions_only() -> None:
    assert all(re.fullmatch(r"[\w.]+", version) for version in constraints().values())
    of_a_gpu_build = {name for name in constraints() if re.match(r"triton|nvidia-(?!ml-py)", name)}
    assert not of_a_gpu_build | ({"qiao"} & set(constraints()))


def test_the_changelog_knows_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert headings[1:2] == [version]
