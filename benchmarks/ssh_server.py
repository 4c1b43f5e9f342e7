"""A real SSH server on this machine's loopback, for one client that holds its key: what is run over it meets real SSH.

OpenSSH's own sshd, with keys and settings in a folder of its own; nothing of the machine's or the person's is read,
changed or needed. It works as root, and as anyone else where new terminals belong to the group tty, as they mostly do
(in some containers they don't; `log` then ends with a `chown` that failed).
"""

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"
PATIENCE_S = 15.0

SETTINGS = """\
ListenAddress {address}
Port {port}
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/user_key.pub
AuthenticationMethods publickey
PermitRootLogin prohibit-password
UsePAM no
StrictModes no
UseDNS no
PrintMotd no
PrintLastLog no
"""
HANDED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
"""A login begins with an environment of its own; with these the program starts as it would without SSH."""


class SshServer:
    """sshd, listening until it is closed.

    Raises:
        FileNotFoundError: OpenSSH's `sshd`, `ssh` or `ssh-keygen` isn't installed.
        RuntimeError: sshd ended at once; with what it said.
    """

    def __init__(self) -> None:
        sshd = _program("sshd")
        self._folder = tempfile.TemporaryDirectory(prefix="qiao-ssh-")
        self.port = _free_port()
        folder = Path(self._folder.name)
        for name in ("host_key", "user_key"):
            command = [_program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(command, check=True)
        host_key = (folder / "host_key.pub").read_text(encoding="utf-8")
        (folder / "known_hosts").write_text(f"qiao-benchmark {host_key}", encoding="utf-8")
        settings = folder / "sshd_config"
        settings.write_text(SETTINGS.format(address=LOOPBACK, port=self.port, folder=folder), encoding="utf-8")
        if os.geteuid() == 0:
            # Where sshd of most systems keeps its unprivileged half; else it refuses to start.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._log = folder / "sshd.log"
        self._process = subprocess.Popen(
            [sshd, "-D", "-f", str(settings), "-E", str(self._log)], stdin=subprocess.DEVNULL
        )
        self._wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def command(
        self, arguments: Sequence[str], *, environment: Mapping[str, str] | None = None, port: int | None = None
    ) -> list[str]:
        """The command line of a client that runs a program in a terminal at the other end.

        Args:
            arguments: of the program.
            environment: variables that it gets, beside what `HANDED_ON` names.
            port: where to connect instead, as to a slow line before this server.
        """
        folder = Path(self._folder.name)
        variables = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
        variables |= {"COLORTERM": "truecolor", **(environment or {})}
        assigned = [f"{name}={value}" for name, value in variables.items()]
        there = shlex.join(["cd", os.getcwd()]) + " && exec " + shlex.join(["env", *assigned, *arguments])
        return [
            _program("ssh"),
            *("-F", os.devnull, "-tt", "-p", str(port or self.port), "-i", str(folder / "user_key")),
            *("-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"),
            *("-o", f"UserKnownHostsFile={folder / 'known_hosts'}", "-o", "HostKeyAlias=qiao-benchmark"),
            *("-o", "StrictHostKeyChecking=yes", "-o", "EscapeChar=none"),
            f"{getpass.getuser()}@{LOOPBACK}",
            there,
        ]

    def log(self) -> str:
        """What sshd said so far: the place to look when nobody is let in."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def _wait(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and self._process.poll() is None:
            with socket.socket() as trial:
                if trial.connect_ex((LOOPBACK, self.port)) == 0:
                    return
            time.sleep(0.02)
        said = self.log()
        self.close()
        raise RuntimeError(f"sshd doesn't answer: {said}")

    def close(self) -> None:
        """Ends the server; who is logged in stays until their own program ends."""
        self._process.terminate()
        self._process.wait(10)
        self._folder.cleanup()


def _program(name: str) -> str:
    """Its path: sshd wants to be called by the whole of it."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin")
    if found is None:
        raise FileNotFoundError(f"{name} isn't installed; OpenSSH's client and server are needed")
    return found


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind((LOOPBACK, 0))
        return trial.getsockname()[1]
