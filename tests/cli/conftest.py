"""The command, run in this process over a scripted backend."""

import io
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend
from qiao.cli.main import main
from qiao.workbench.conversation import Conversation
from qiao.workbench.conversation_file import dumps, loads

from ..patience import PATIENCE_S


class Ended(NamedTuple):
    """What came of one run of the command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def scripted() -> ScriptedBackend:
    return ScriptedBackend()


@pytest.fixture
def qiao(
    scripted: ScriptedBackend, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ended]:
    """`qiao("run", "-", stdin="…")`: stdin, stdout and stderr are no terminals."""

    def run(*arguments: str, stdin: str | bytes = b"") -> Ended:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
        code = main(arguments, lambda config: Backends(config, extra={"scripted": scripted}))
        sys.stdout.flush()
        sys.stderr.flush()
        out, err = capfdbinary.readouterr()
        return Ended(code, out.decode(), err.decode())

    return run


class Terminal:
    """A pseudo-terminal and all that was written to it."""

    def __init__(self) -> None:
        self._controller, self._end = os.openpty()
        self._chunks: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self._controller, 65536)
            except OSError:
                return
            if not chunk:
                return
            self._chunks.append(chunk)

    def stream(self) -> io.TextIOWrapper:
        """A stream to it, as sys.stdout would be."""
        return open(os.dup(self._end), "w", encoding="utf-8")

    def text(self) -> str:
        """All that was written, once nothing writes any more. Ends it."""
        os.close(self._end)
        self._reader.join(PATIENCE_S)
        os.close(self._controller)
        return b"".join(self._chunks).decode().replace("\r\n", "\n")


@pytest.fixture
def on_terminal(scripted: ScriptedBackend, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """`on_terminal("run", …)`: stdout and stderr are two terminals. Returns the exit code and what each shows."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        terminals = Terminal(), Terminal()
        with monkeypatch.context() as patch:
            for name, terminal in zip(("stdout", "stderr"), terminals, strict=True):
                patch.setattr(sys, name, terminal.stream())
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8"))
            code = main(arguments, lambda config: Backends(config, extra={"scripted": scripted}))
            sys.stdout.close()
            sys.stderr.close()
        out, err = (terminal.text() for terminal in terminals)
        return code, out, err

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a conversation's file."""

    def to_file(conversation: Conversation, name: str = "talk.toml") -> Path:
        path = tmp_path / name
        path.write_bytes(dumps(conversation))
        return path

    return to_file


def conversation_in(path: Path) -> Conversation:
    return loads(path.read_bytes(), path.name).conversation


@pytest.fixture
def read() -> Callable[[Path], Conversation]:
    return conversation_in
