"""What was measured, and where: a figure without its machine means nothing."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

PACKAGES = ("textual", "rich", "msgspec", "torch", "transformers")


def described() -> list[str]:
    """Lines that name the machine, the versions, the commit, the day and how busy the machine was."""
    gib = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {found}" for name in PACKAGES if (found := _version(name)))
    busy = os.getloadavg()[0]
    return [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_commit()}.",
        f"{_processor()}, {os.cpu_count()} cores, {gib:.0f} GiB; {platform.system()} {platform.release()}. "
        f"Load as it began: {busy:.1f}.",
        f"Python {platform.python_version()}, {versions}.",
    ]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str:
    def git(*arguments: str) -> str:
        ran = subprocess.run(["git", *arguments], capture_output=True, text=True, cwd=Path(__file__).parent)
        return ran.stdout.strip()

    return (git("rev-parse", "--short", "HEAD") or "unknown") + (" with changes" if git("status", "--short") else "")


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        named = (line.partition(":")[2].strip() for line in file if line.startswith("model name"))
        return next(named, platform.machine())
