"""What starting doesn't import: a static graph can't tell a deferred import, so each case runs in a fresh process."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "tokenizers", "modelscope", "huggingface_hub", "openai", "keyring", "gguf", "numpy")

REPORT = "\nimport sys\nprint('IMPORTED', *sorted({name.partition('.')[0] for name in sys.modules}))"


def imported_by(code: str) -> set[str]:
    """The top-level modules that are there after the code has run in a fresh interpreter."""
    ran = subprocess.run([sys.executable, "-c", code + REPORT], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    *_, last = ran.stdout.splitlines()
    mark, *names = last.split()
    assert mark == "IMPORTED"
    return set(names)


HELP = """
from qiao.cli.main import main
try:
    code = main({arguments})
except SystemExit as end:
    code = end.code
assert not code, code
"""


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"], ["models"], ["keys", "list"]])
def test_the_command_imports_nothing_heavy_and_no_screen(arguments: list[str]) -> None:
    modules = imported_by(HELP.format(arguments=arguments))
    assert "qiao" in modules
    assert not modules & {*HEAVY, "textual", "rich", "psutil", "pynvml"}


def test_the_screen_imports_nothing_heavy() -> None:
    modules = imported_by("import qiao.tui.app")
    assert "textual" in modules
    assert not modules & set(HEAVY)


@pytest.mark.parametrize("module", ["qiao.backends.registry", "qiao.backends.scripted", "qiao.backends.local.engine"])
def test_backends_import_what_they_need_when_they_need_it(module: str) -> None:
    assert not imported_by(f"import {module}") & {*HEAVY, "textual", "rich"}


def test_the_work_knows_no_screen_no_engine_and_no_command() -> None:
    code = (
        "import importlib, pkgutil, qiao.workbench as package\n"
        "for module in pkgutil.walk_packages(package.__path__, 'qiao.workbench.'):\n"
        "    importlib.import_module(module.name)\n"
        "import sys\n"
        "assert not [name for name in sys.modules if name.startswith(('qiao.tui', 'qiao.cli', 'qiao.backends'))]\n"
    )
    assert not imported_by(code) & {*HEAVY, "textual", "rich", "psutil", "pynvml"}


FIRST_PAINT = """
import asyncio
from qiao.backends.registry import Backends
from qiao.tui.app import QiaoApp
from qiao.tui.sessions.session import Session
from qiao.workbench.config import Config
from qiao.workbench.document import Document

async def paint():
    config = Config()
    app = QiaoApp([Session(Document.untitled())], Backends(config), config)
    async with app.run_test(size=(120, 40)) as pilot:
        while app.workbench.looking or app.sampler.latest is None:
            await pilot.pause(0.05)
        assert "Nothing is written yet" in app.export_screenshot().replace("&#160;", " ")

asyncio.run(paint())
"""


def test_the_first_paint_imports_nothing_heavy() -> None:
    """Models found and sensors running included; those two may load what reads the machine."""
    modules = imported_by(FIRST_PAINT)
    assert "textual" in modules
    assert not modules & set(HEAVY)
