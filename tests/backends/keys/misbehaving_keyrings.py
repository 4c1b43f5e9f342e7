"""Keyrings as they can be met: each a class that PYTHON_KEYRING_BACKEND names. They run in the keyring's process."""

import getpass
import os
import subprocess
import sys
import time
from pathlib import Path

from keyring import backend, errors
from keyring.backends.chainer import ChainerBackend


class _Keyring(backend.KeyringBackend):
    priority = 5  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]

    def get_password(self, service: str, username: str) -> str | None:
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        pass

    def delete_password(self, service: str, username: str) -> None:
        pass


class Hanging(_Keyring):
    """Waits for ever, and so does what it has started."""

    def get_password(self, service: str, username: str) -> str | None:
        child = subprocess.Popen(["sleep", "3600"])
        Path(os.environ["QIAO_HOME"], "hanging.pid").write_text(f"{os.getpid()} {child.pid}", encoding="utf-8")
        time.sleep(3600)
        return None


class Dying(_Keyring):
    """Takes its process along."""

    def get_password(self, service: str, username: str) -> str | None:
        os.abort()


class Leaving(_Keyring):
    def get_password(self, service: str, username: str) -> str | None:
        sys.exit(3)


class Raising(_Keyring):
    """Quotes what it was given."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise FileNotFoundError(f"no \x1b[31mpass\x1b[0m to keep {password} with")


class Forgetting(_Keyring):
    """Takes every key and keeps none."""


class Printing(_Keyring):
    """Chatters on both streams, as do what it calls."""

    def get_password(self, service: str, username: str) -> str | None:
        print("CHATTER")
        subprocess.run(["sh", "-c", "echo CHATTER; echo CHATTER >&2; echo CHATTER > /dev/tty"], check=False)
        return "sk-printed-among-much-chatter"


class Typing(_Keyring):
    """Asks on the terminal."""

    def get_password(self, service: str, username: str) -> str | None:
        return getpass.getpass("CHATTER: ")


class EncryptedKeyring(Typing):
    """As `keyrings.alt` has it: it would ask on the terminal."""


class Locked(_Keyring):
    """As recorded from SecretService with a locked collection and no display, keyring 25.7."""

    def get_password(self, service: str, username: str) -> str | None:
        raise errors.KeyringLocked("Failed to unlock the collection!")

    set_password = get_password  # pyright: ignore[reportAssignmentType]


class NoCollection(_Keyring):
    """As recorded from SecretService where nobody has ever logged in, keyring 25.7."""

    def get_password(self, service: str, username: str) -> str | None:
        raise errors.InitError("Failed to create the collection: Prompt dismissed..")

    set_password = get_password  # pyright: ignore[reportAssignmentType]


class InFile(_Keyring):
    """One that works: a file of lines beside the test's own."""

    @property
    def _file(self) -> Path:
        return Path(os.environ["QIAO_HOME"]).parent / "kept-by-keyring"

    def _kept(self) -> dict[str, str]:
        lines = self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else []
        return {user: value for user, _, value in (line.partition(" ") for line in lines)}

    def _keep(self, kept: dict[str, str]) -> None:
        self._file.write_text("".join(f"{user} {value}\n" for user, value in kept.items()), encoding="utf-8")

    def get_password(self, service: str, username: str) -> str | None:
        assert service == "qiao"
        with self._file.with_name("asked-of-keyring").open("a", encoding="utf-8") as file:
            file.write(f"{username}\n")
        return self._kept().get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._keep({**self._kept(), username: password})

    def delete_password(self, service: str, username: str) -> None:
        self._keep({user: value for user, value in self._kept().items() if user != username})


class Chain(ChainerBackend):
    """What a machine with `keyrings.alt` beside a working keyring has: the interactive one comes first."""

    backends = [EncryptedKeyring(), InFile()]  # noqa: RUF012 # pyright: ignore[reportAssignmentType]
