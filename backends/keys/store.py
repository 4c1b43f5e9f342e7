"""Where the keys of providers are: found in order, kept where the person chooses, and always told from where."""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Literal

import msgspec

from ...workbench.errors import QiaoError, Refused
from ...workbench.seam import KeySource
from ...workbench.visible import visible_line
from ...workbench.words import say
from .key import Key, cleaned
from .key_file import KeyFile, WrongPassphrase
from .keyring_process import Reply
from .system_keyring import CHANGE_SECONDS, FIND_SECONDS, SystemKeyring, told

__all__ = ["Key", "Keys", "Place", "Status", "Where"]

Where = Literal["keyring", "file", "session"]
"""Where a key can be kept. session: in this run's memory."""

ABSENT_SECONDS = 60.0
"""So long a provider without a key in the keyring is taken to have none: another terminal may have set one."""
TRIES = 3

Ask = Callable[[], str | None]
"""Asks the person for the passphrase of the encrypted file; None: they would rather not."""


class Place(msgspec.Struct, frozen=True):
    """Somewhere that a key could be kept."""

    where: Where
    detail: str
    """The keyring's name, or the file's path."""
    problem: str | None = None
    """One line: why it can't be used; None: it can."""
    wants_passphrase: Literal["new", "known"] | None = None
    """new: a passphrase has to be chosen. known: the file's passphrase has to be given first."""


class Status(msgspec.Struct, frozen=True):
    """What is known of a provider's key, without the key."""

    provider: str
    source: KeySource | None = None
    """Where the one that is used comes from; None: none is known."""
    detail: str = ""
    """The variable, the keyring's name, or the file's path."""
    fingerprint: str | None = None
    """Tells one key from another. None: the key isn't known yet, or so short that this would help to guess it."""
    others: tuple[KeySource, ...] = ()
    """Where there are further keys, which this one goes before."""
    problem: str | None = None
    """One line: why the key can't be used, or why not all places could be looked at."""


class Keys:
    """The keys of all providers: those of the environment, then this run's, the keyring's, the encrypted file's.

    Every method may block for some seconds, and may be called from any thread.

    Args:
        ask: how a person can be asked for the file's passphrase, from the thread that needs it.
    """

    def __init__(self, ask: Ask | None = None) -> None:
        self.ask = ask
        self._asking = threading.Lock()
        self._looking = threading.Lock()
        self._keyring = SystemKeyring()
        self._file = KeyFile()
        self._session: dict[str, Key] = {}
        self._from_keyring: dict[str, tuple[Key | None, float]] = {}
        """Each with the moment until which it holds."""

    def find(self, provider: str, variables: Sequence[str] = ()) -> Key | None:
        """The provider's key, or None if none is known. Blocks for five seconds at most, unless a person is asked.

        Args:
            provider: its name in addresses.
            variables: the environment variables that may hold it, the first that is set wins over all other places.

        Raises:
            QiaoError: a key is there but can't be used: a variable holds what is no key, or it lies in the encrypted
                file and that is locked. The message says what to do.
        """
        return (
            _exported(variables)
            or self._session.get(provider)
            or self._keyring_key(provider)
            or self._file_key(provider)
        )

    def known(self, provider: str, variables: Sequence[str] = ()) -> KeySource | None:
        """Where the provider's key is from, as far as that is known without asking the keyring. Never raises."""
        if any(map(_is_set, variables)):
            return "environment"
        if provider in self._session:
            return "session"
        if self._from_keyring.get(provider, (None, 0.0))[0] is not None:
            return "keyring"
        with suppress(QiaoError):
            if provider in self._file.providers():
                return "file"
        return None

    @property
    def keyring_problem(self) -> str | None:
        """One line: why a key that should be in the keyring wasn't found; None where all is well, or no keyring is."""
        last = self._keyring.last
        return None if last.trouble == "none" else told(last)

    def forget(self, provider: str) -> None:
        """Looks for the provider's key anew next time: it was refused, or set by another program."""
        self._from_keyring.pop(provider, None)

    def set(self, provider: str, value: str, where: Where) -> Place:
        """Keeps a key. A provider has one: those in other places go, unless this one is for this run only.

        Args:
            value: as it was typed or pasted.
            where: one of `places`; for the file, unlocked.

        Returns:
            Where it is now.

        Raises:
            QiaoError: it is no key, or can't be kept there; then all is as it was.
        """
        value = cleaned(value, place=say("keys.typed"))
        match where:
            case "session":
                self._session[provider] = Key(value, "session")
                return Place("session", "")
            case "keyring":
                reply = self._keyring.set(provider, value)
                if provider not in reply.values:
                    raise Refused("keys.not_kept", reason=_reason(reply))
                self._from_keyring[provider] = Key(value, "keyring"), float("inf")
                # A damaged file must not undo what is done.
                with suppress(QiaoError):
                    self._file.delete(provider)
                place = Place("keyring", visible_line(reply.backend))
            case "file":
                self._file.set(provider, value)
                self._drop_from_keyring(provider)
                place = Place("file", visible_line(str(self._file.path)))
        self._session.pop(provider, None)
        return place

    def delete(self, provider: str) -> list[Where]:
        """Takes the provider's key out of every place but the environment.

        Returns:
            Where there was one.

        Raises:
            QiaoError: a place that may have one can't be changed.
        """
        gone: list[Where] = []
        if self._session.pop(provider, None):
            gone.append("session")
        if self._file.delete(provider):
            gone.append("file")
        reply = self._keyring.delete(provider)
        self._from_keyring.pop(provider, None)
        if provider in reply.values:
            gone.append("keyring")
        elif reply.trouble not in (None, "none") and not gone:
            raise Refused("keys.not_deleted", provider=visible_line(provider), reason=_reason(reply))
        return gone

    def unlock(self, passphrase: str) -> None:
        """Opens the encrypted file for this run; a new one gets this passphrase.

        Raises:
            QiaoError: it isn't the file's, too short for a new one, or the file can't be read.
        """
        self._file.unlock(passphrase)

    def is_locked(self, provider: str, variables: Sequence[str] = ()) -> bool:
        """Whether this provider's key is in the encrypted file, and the passphrase wanted. Reads one small file."""
        if provider in self._session or any(map(_is_set, variables)):
            return False
        try:
            return provider in self._file.providers() and self._file.is_locked()
        except QiaoError:
            return False

    def places(self) -> list[Place]:
        """Where a key can be kept, the best first."""
        # A locked one tells so only when it is asked for something.
        reply = self._keyring.get(("qiao",), again=True)
        keyring = Place("keyring", visible_line(reply.backend), told(reply))
        path = visible_line(str(self._file.path))
        try:
            known = self._file.is_locked()
            new = not self._file.providers() and not self._file.is_open
            file = Place("file", path, None, "known" if known else "new" if new else None)
        except QiaoError as error:
            file = Place("file", path, str(error))
        return [keyring, file, Place("session", "")]

    def statuses(self, providers: Mapping[str, Sequence[str]]) -> list[Status]:
        """What is known of these providers' keys, in their order. Never asks for the passphrase.

        Args:
            providers: each with its environment variables.
        """
        names = tuple(providers)
        reply = self._keyring.get(names, again=True)
        problem = None if reply.trouble in (None, "none") else told(reply)
        try:
            filed = set(self._file.providers())
        except QiaoError as error:
            filed, problem = set[str](), str(error)
        return [self._status(name, providers[name], reply, filed=name in filed, problem=problem) for name in names]

    def _status(
        self, provider: str, variables: Sequence[str], reply: Reply, *, filed: bool, problem: str | None
    ) -> Status:
        found: list[tuple[KeySource, str, Key | None]] = []
        try:
            exported = _exported(variables)
        except QiaoError as error:
            exported, problem = None, str(error)
        if exported:
            found.append(("environment", next(filter(_is_set, variables)), exported))
        if session := self._session.get(provider):
            found.append(("session", "", session))
        if value := reply.values.get(provider):
            found.append(("keyring", reply.backend, Key(value, "keyring")))
        if filed:
            key = None
            with suppress(QiaoError):
                value = self._file.get(provider)
                key = Key(value, "file") if value else None
            found.append(("file", str(self._file.path), key))
        if not found:
            return Status(provider, problem=problem)
        (source, detail, key), *others = found
        fingerprint = None if key is None else key.fingerprint
        return Status(provider, source, visible_line(detail), fingerprint, tuple(other[0] for other in others), problem)

    def _keyring_key(self, provider: str) -> Key | None:
        # Sixty-four requests at once ask the keyring once.
        with self._looking:
            key, until = self._from_keyring.get(provider, (None, 0.0))
            if key is None and time.monotonic() >= until:
                value = self._keyring.get((provider,), FIND_SECONDS).values.get(provider)
                key = Key(cleaned(value, place=say("keys.the_keyring")), "keyring") if value else None
                self._from_keyring[provider] = key, time.monotonic() + ABSENT_SECONDS
            return key

    def _file_key(self, provider: str) -> Key | None:
        if self.is_locked(provider) and self.ask is not None:
            self._ask_passphrase(provider, self.ask)
        value = self._file.get(provider)
        return None if value is None else Key(value, "file")

    def _ask_passphrase(self, provider: str, ask: Ask) -> None:
        with self._asking:
            for attempt in range(TRIES):
                # Meanwhile another thread may have asked.
                passphrase = ask() if self.is_locked(provider) else None
                if not passphrase:
                    return
                try:
                    self._file.unlock(passphrase)
                except WrongPassphrase:
                    if attempt == TRIES - 1:
                        raise

    def _drop_from_keyring(self, provider: str) -> None:
        """What the keyring has of this provider would go before what was just kept elsewhere."""
        known, _ = self._from_keyring.get(provider, (None, 0.0))
        if known or self._keyring.get((provider,), CHANGE_SECONDS).values:
            self._keyring.delete(provider)
        self._from_keyring.pop(provider, None)


def _exported(variables: Sequence[str]) -> Key | None:
    variable = next(filter(_is_set, variables), None)
    if variable is None:
        return None
    return Key(cleaned(os.environ[variable], place=f"${visible_line(variable)}"), "environment")


def _is_set(variable: str) -> bool:
    return bool(os.environ.get(variable, "").strip())


def _reason(reply: Reply) -> str:
    return told(reply) or say("keys.keyring_none")
