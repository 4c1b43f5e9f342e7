"""Builds the sdist, and from it the wheel; looks at what is in them; installs the wheel alone, without torch; tries it.

A wheel built from the working tree can hide what the sdist lacks, so it is built from the sdist; a program run inside
the tree can find what isn't installed, so it is run outside.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("workbench", "backends", "tui", "cli", "themes")
FOLDERS = (*PACKAGES, "tests", "benchmarks", "examples", "docs")
BESIDE = (
    *("README.md", "README.zh.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"),
    *("pyproject.toml", "hatch_build.py", "constraints.txt"),
)
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="qiao-packages-") as folder:
        work = Path(folder)
        sdist, wheel = build(work)
        check_contents(sdist, wheel)
        try_light(work, wheel)
    print("sdist and wheel are complete; the wheel alone works, and says which extra is missing")


def environment(folder: Path) -> Path:
    """A new virtual environment; its Python."""
    venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


def call(*command: object, cwd: Path = ROOT) -> None:
    subprocess.run([str(part) for part in command], cwd=cwd, check=True)


def build(work: Path) -> tuple[Path, Path]:
    python = environment(work / "build")
    out = work / "out"
    call(python, "-m", "pip", "install", "-c", "constraints.txt", "hatchling")
    call(python, "-m", "hatchling", "build", "-t", "sdist", "-d", out)
    (sdist,) = out.glob("*.tar.gz")
    call(python, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", out, sdist)
    (wheel,) = out.glob("*.whl")
    return sdist, wheel


def in_tree(*folders: str) -> set[str]:
    """The files in these folders of the repository, as paths from its root, without what Python leaves behind."""
    return {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def check_contents(sdist: Path, wheel: Path) -> None:
    ours = in_tree(*PACKAGES)
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = {name for name in archive.namelist() if not name.endswith("/")}
    strangers = {name for name in in_wheel if not name.startswith(("qiao/", "qiao-"))}
    expect(not strangers, f"the wheel installs outside of qiao/: {sorted(strangers)}")
    missing = {f"qiao/{name}" for name in ours} - in_wheel
    expect(not missing, f"the wheel lacks {sorted(missing)}")
    extra = {name for name in in_wheel if name.startswith("qiao/")} - {f"qiao/{name}" for name in ours}
    expect(not extra, f"the wheel holds what isn't in the repository: {sorted(extra)}")
    for data in ("qiao/themes/ink.toml", "qiao/workbench/words/theme.toml", "qiao/backends/providers.toml"):
        expect(data in in_wheel, f"the wheel lacks {data}")

    with tarfile.open(sdist) as archive:
        in_sdist = {member.name.split("/", 1)[1] for member in archive.getmembers() if member.isfile()}
    missing = (in_tree(*FOLDERS) | set(BESIDE)) - in_sdist
    expect(not missing, f"the sdist lacks {sorted(missing)}")


def try_light(work: Path, wheel: Path) -> None:
    """What a person has who installed `qiao` without an extra."""
    python = environment(work / "light")
    call(python, "-m", "pip", "install", "-c", "constraints.txt", wheel)
    installed = run(work, python, "-m", "pip", "list", "--format=freeze").stdout
    names = {line.split("==")[0] for line in installed.splitlines()}
    expect("textual" in names, f"pip list: {installed}")
    heavy = names & {"torch", "transformers", "numpy", "modelscope"}
    expect(not heavy, f"the base install brings {sorted(heavy)}")

    qiao = python.with_name("qiao")
    version = run(work, qiao, "--version")
    expect(version.returncode == 0 and VERSION in version.stdout, f"qiao --version: {version}")
    models = run(work, qiao, "models")
    expect(models.returncode == 0 and "local:starter" in models.stdout, f"qiao models: {models}")
    refused = run(work, qiao, "run", "-", "-m", "local:starter", typed="Hello")
    told = refused.stderr.strip().splitlines()
    expect(refused.returncode == 3, f"qiao run without torch should exit with 3: {refused}")
    expect(refused.stdout == "", f"qiao run without torch should print nothing to stdout: {refused}")
    expect(len(told) == 1 and "qiao[local]" in told[0], f"qiao run without torch should name the extra: {refused}")


def run(work: Path, *command: object, typed: str = "") -> subprocess.CompletedProcess[str]:
    """The command as a new user would run it: outside of the tree, with a home of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "SSL_CERT_FILE") if name in os.environ}
    return subprocess.run(
        [str(part) for part in command],
        cwd=work,
        env={**kept, "HOME": str(work), "QIAO_HOME": str(work / "home"), "LANG": "C.UTF-8"},
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
    )


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        sys.exit(f"check_packages: {otherwise}")


if __name__ == "__main__":
    main()
