"""The servers that run, written down: one that was left running is found again, and what is left of one is cleaned up.

One file a server, `vllm/PORT.json` in the data folder, with its key beside it, both for the user's eyes only. A process
is known by its id, its start time and the machine's boot: an id alone may be another process's by now.
"""

import contextlib
import os
import re
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ...workbench.errors import BrokenOff
from ...workbench.paths import data_dir
from ...workbench.visible import visible_line


class Process(msgspec.Struct, frozen=True):
    """A process that can't be mistaken for a later one of the same id."""

    pid: int
    started: int
    """Clock ticks since the machine's boot: field 22 of /proc/PID/stat."""

    @property
    def alive(self) -> bool:
        return process(self.pid) == self

    def signal(self, number: int) -> bool:
        """Sends it a signal, and only it; whether it was there to be sent one."""
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return False
        try:
            # The handle holds whatever process has the id now; if that is ours, it is until the signal is sent.
            if not self.alive:
                return False
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True


class Running(msgspec.Struct, frozen=True):
    """A server, as it is written down."""

    name: str
    """As it is served: `vllm:NAME`."""
    model: str
    """The address of what it serves."""
    port: int
    supervisor: Process
    server: Process
    """The leader of the process group of all that serves."""
    boot: str
    log: str
    created: float
    """Seconds since 1970."""
    ready: bool = False
    """It has answered."""
    context_length: int | None = None

    @property
    def root_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def process(pid: int) -> Process | None:
    """The process with this id, unless there is none, or nothing of it is left but its exit code."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else Process(pid, int(fields[19]))


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name, which may hold anything: state, parent, group, session, …"""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def boot() -> str:
    """This boot of the machine."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def keep(running: Running, key: str) -> None:
    """Writes the server down, its key first.

    Raises:
        BrokenOff: it can't be written.
    """
    folder = _folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(_key_file(running), key.encode())
        _write(_file(running), msgspec.json.encode(running))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BrokenOff("vllm.not_written_down", folder=visible_line(str(folder)), reason=reason) from error


def _write(file: Path, data: bytes) -> None:
    """Whole or not at all, for the user's eyes only."""
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as temporary:
        temporary.write(data)
    os.replace(temporary.name, file)


def forget(running: Running) -> None:
    """Takes the server's files away."""
    for file in (_file(running), _key_file(running)):
        with contextlib.suppress(OSError):
            file.unlink()


def key_of(running: Running) -> str | None:
    """The server's key."""
    try:
        return _key_file(running).read_text().strip() or None
    except OSError:
        return None


def kept() -> list[Running]:
    """The servers that run, the oldest first; of those that don't any more, what is left is cleaned up."""
    alive: list[Running] = []
    for running in _read_all():
        if running.boot == boot() and running.supervisor.alive:
            alive.append(running)
        else:
            if running.boot == boot():
                end_group(running.server)
            forget(running)
    return sorted(alive, key=lambda running: running.created)


def end_group(leader: Process) -> int:
    """Kills what is left of a server's process group, whose supervisor is gone; how many processes that was."""
    return sum(member.signal(signal.SIGKILL) for member in group(leader))


def group(leader: Process) -> list[Process]:
    """What runs of a server's process group, the leader included.

    The system gives an id to no process while a group goes by it. So where the leader's id has another start time,
    or processes are older than the leader, the group is someone else's.
    """
    now = process(leader.pid)
    if now is not None and now != leader:
        return []
    found: list[Process] = []
    for pid in _pids():
        fields = _stat(pid)
        if fields is None or int(fields[2]) != leader.pid or int(fields[3]) != leader.pid:
            continue
        if int(fields[19]) >= leader.started and (member := process(pid)) is not None:
            found.append(member)
    return found


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _read_all() -> Iterator[Running]:
    try:
        files = [file for file in _folder().iterdir() if re.fullmatch(r"\d+\.json", file.name)]
    except OSError:
        return
    for file in files:
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            yield msgspec.json.decode(file.read_bytes(), type=Running)


def _folder() -> Path:
    return data_dir() / "vllm"


def _file(running: Running) -> Path:
    return _folder() / f"{running.port}.json"


def _key_file(running: Running) -> Path:
    return _folder() / f"{running.port}.key"
