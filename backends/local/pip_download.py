"""Fetches one wheel from a package index by pip, which knows the person's index, proxies and certificates."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ...workbench.errors import Refused
from ...workbench.visible import visible_line

_POLL_SECONDS = 0.1
_FAREWELL_SECONDS = 0.1
_REASON_LENGTH = 300


def download(package: str, version: str, sha256: str, folder: Path, stop: threading.Event) -> Iterator[None]:
    """Downloads the wheel of exactly this version and content into the folder, and gives a turn ten times a second.

    Args:
        folder: empty, and this call's own: pip works in it too, so that nothing is left elsewhere, and its file grows
            somewhere below it.
        stop: ends pip within 200 ms; so does closing the generator.

    Raises:
        Refused: pip failed; with its reason in one line.
        OSError: the folder can't be written to.
    """
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{package}=={version} --hash=sha256:{sha256}\n", encoding="ascii")
    temporary = folder / "tmp"
    temporary.mkdir()
    words = folder / "pip.txt"
    command = [
        sys.executable, "-P", "-m", "pip", "download", "--require-hashes", "--no-deps", "--only-binary", ":all:",
        "--no-cache-dir", "--no-input", "--no-color", "--progress-bar", "off", "--disable-pip-version-check",
        "--dest", str(folder), "--requirement", str(wanted),
    ]  # fmt: skip
    # Nothing is installed, so being outside a virtual environment does no harm.
    environment = {**os.environ, "TMPDIR": str(temporary), "PIP_REQUIRE_VIRTUALENV": "0", "PYTHONUTF8": "1"}
    with words.open("wb") as output:
        pip = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while pip.poll() is None:
            yield
            if stop.wait(_POLL_SECONDS):
                return
    finally:
        _end(pip)
    if pip.returncode != 0:
        raise _refusal(words.read_text(encoding="utf-8", errors="replace"), pip.returncode)


def _end(pip: "subprocess.Popen[bytes]") -> None:
    """Ends pip and whatever it has started (a keyring's command, say), politely at first."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if pip.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(pip.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            pip.wait(_FAREWELL_SECONDS)
    pip.wait()


def _refusal(output: str, code: int) -> Refused:
    """What pip says, as an error that a person can act on."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if any("DO NOT MATCH THE HASHES" in line for line in lines):
        return Refused("models.starter_other_file")
    retries = [line for line in lines if "after connection broken by" in line]
    if retries:
        return Refused("models.starter_no_network", reason=_short(_connection_reason(retries[-1])))
    refused = [line for line in lines if line.startswith("Could not fetch URL")]
    if refused:
        return Refused("models.starter_no_network", reason=_short(refused[-1].removesuffix("- skipping")))
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    reason = errors[0] if errors else lines[-1] if lines else f"exit {code}"
    return Refused("models.starter_pip_failed", reason=_short(reason))


def _connection_reason(line: str) -> str:
    """The innermost words of pip's `Retrying (Retry(…)) after connection broken by 'XError(<…>: words)': /path`."""
    broken_by = line.partition("after connection broken by")[2].rpartition(":")[0].strip(" '\"")
    inner = re.search(r"(?:>: |Error\('?\"?|Error\()([^<>]+?)['\")]*$", broken_by)
    return inner[1] if inner else broken_by


def _short(reason: str) -> str:
    line = visible_line(reason)
    return line if len(line) <= _REASON_LENGTH else line[: _REASON_LENGTH - 1] + "…"
