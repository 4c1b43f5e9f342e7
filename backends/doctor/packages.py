"""The packages that Qiao works with: their versions, from what pip noted down, without importing any."""

import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version

from ...workbench.visible import visible_line
from ...workbench.words import say
from .finding import Finding, Value

LOCAL = ("transformers", "accelerate", "gguf", "modelscope", "huggingface_hub")
"""Beside torch, which `torch_build` looks at."""


def look_at_python() -> list[Finding]:
    """The interpreter, and Qiao itself."""
    python = ".".join(map(str, sys.version_info[:3]))
    own = installed("qiao") or "?"
    return [
        Finding("qiao", "Qiao", "ok", own, values={"version": own}),
        Finding(
            "python",
            "Python",
            "ok",
            visible_line(f"{python}  {sys.executable}"),
            values={"version": python, "executable": sys.executable, "prefix": sys.prefix},
        ),
    ]


def look_at_packages() -> list[Finding]:
    """What answering on this machine needs, torch aside."""
    return [package(name) for name in LOCAL]


def package(name: str) -> Finding:
    """One package: there, missing, or of a version that doesn't fit."""
    found = installed(name)
    if found is None:
        return Finding(name, name, "absent", say("doctor.not_installed"), say("doctor.install_local"))
    least, below = wanted(name)
    values: dict[str, Value] = {"version": found}
    if least is not None and numbers(found) < numbers(least):
        advice = say("doctor.upgrade", what=f"{name}>={least}")
        return Finding(name, name, "warn", say("doctor.too_old", version=found, least=least), advice, values)
    if below is not None and numbers(found) >= numbers(below):
        advice = say("doctor.upgrade", what=f"{name}<{below}")
        return Finding(name, name, "warn", say("doctor.too_new", version=found, below=below), advice, values)
    return Finding(name, name, "ok", visible_line(found), values=values)


def installed(name: str) -> str | None:
    """The version of a package; None if it isn't installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def wanted(name: str) -> tuple[str | None, str | None]:
    """The versions of a package that Qiao asks for: from which on, and below which."""
    try:
        asked = requires("qiao") or []
    except PackageNotFoundError:
        asked = []
    for line in asked:
        if re.match(rf"{re.escape(name)}(?![\w.-])", line.replace("_", "-")):
            least = re.search(r">=\s*([\d.]+)", line)
            below = re.search(r"<\s*([\d.]+)", line)
            return (least[1] if least else None), (below[1] if below else None)
    return None, None


def numbers(written: str) -> tuple[int, ...]:
    """A version's leading numbers, to be compared: `2.13.0+cpu` is (2, 13, 0)."""
    leading = re.match(r"\d+(\.\d+)*", written)
    return tuple(map(int, leading[0].split("."))) if leading else ()
