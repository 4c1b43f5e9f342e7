"""The process in which the system's keyring is asked: `python -m qiao.backends.keys.keyring_process`.

A keyring is other people's code: it may hang on a dead bus, ask for a passphrase on the terminal, print there, or
crash. Here it has no terminal, no stdin and nowhere to print, and can be ended. One request comes in on stdin and one
reply goes out on stdout, both as JSON, so that no key stands among a process's arguments.
"""

import os
import resource
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "qiao"

Trouble = Literal["none", "locked", "interactive", "silent", "failed"]
"""none: no keyring here, or it is switched off. locked: there, but it can't be opened without a person at its window.
interactive: it wants a passphrase typed on the terminal. silent: no answer in time. failed: anything else.
"""


class Request(msgspec.Struct, frozen=True):
    """What is wanted: the keys of these users, or the one's set (to `value`) or deleted."""

    action: Literal["get", "set", "delete"]
    users: tuple[str, ...]
    value: str = ""

    def __repr__(self) -> str:
        return f"Request({self.action!r}, {self.users!r}, …)"


class Reply(msgspec.Struct, frozen=True):
    """What came of it. There may be values and trouble: of several keyrings, one may be locked."""

    backend: str = ""
    """The keyring's name, as people know it."""
    values: dict[str, str] = {}
    trouble: Trouble | None = None
    detail: str = ""
    """What the keyring said, as it said it."""

    def __repr__(self) -> str:
        return f"Reply({self.backend!r}, {sorted(self.values)!r}, {self.trouble!r}, {self.detail!r})"


def serve() -> None:
    """Answers the request on stdin, whatever the keyring does short of dying."""
    # A crash must leave no picture of the memory on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    answer = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    try:
        reply = _answer(request)
    except Exception as error:  # noqa: BLE001 - backends raise whatever they like, and their importing does too
        reply = _told(error, request)
    with open(answer, "wb") as out:
        out.write(msgspec.json.encode(reply))
    # Threads that a backend has left behind don't matter any more.
    os._exit(0)


def _answer(request: Request) -> Reply:
    import keyring

    chosen = keyring.get_keyring()
    usable: list[KeyringBackend] = []
    trouble: Trouble = "none"
    for backend in _links(chosen):
        if (reason := _unfit(backend, alone=backend is chosen)) is None:
            usable.append(backend)
        elif reason == "interactive":
            trouble = reason
    if not usable:
        return Reply(trouble=trouble)
    match request.action:
        case "get":
            return _get(usable, request)
        case "set":
            return _set(usable, request)
        case "delete":
            return _delete(usable, request)


def _links(chosen: "KeyringBackend") -> "Iterator[KeyringBackend]":
    """The backend, or those that a chain is made of: a chain itself asks the interactive ones too."""
    links = cast(Any, getattr(chosen, "backends", None))
    if links is not None and "ChainerBackend" in _lineage(chosen):
        yield from links
    else:
        yield chosen


def _unfit(backend: "KeyringBackend", *, alone: bool) -> Trouble | None:
    """Why this backend isn't asked.

    Args:
        alone: it is what the person chose, or all that there is; not one link of a chain.
    """
    lineage = _lineage(backend)
    if {"keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"} & set(lineage):
        return "none"
    if any(name.endswith((".EncryptedKeyring", ".CryptFileKeyring")) for name in lineage):
        return "interactive"
    # Base64 in a file is for those who asked for it by name.
    return "none" if not alone and any(name.endswith(".PlaintextKeyring") for name in lineage) else None


def _lineage(backend: object) -> list[str]:
    """The names of its class and of all that it is derived from; a keyring's own classes without their module too."""
    names = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(backend).__mro__]
    return [*names, *(name.rpartition(".")[2] for name in names)]


def _name(backend: object) -> str:
    module, _, last = type(backend).__module__.rpartition(".")
    name = type(backend).__name__
    return last if name in ("Keyring", "DBusKeyring") and module.startswith("keyring") else name


def _get(backends: "list[KeyringBackend]", request: Request) -> Reply:
    values: dict[str, str] = {}
    first: Reply | None = None
    for backend in backends:
        try:
            for user in request.users:
                value = None if user in values else backend.get_password(SERVICE, user)
                if value:
                    values[user] = value
        except Exception as error:  # noqa: BLE001 - as above; the next one may do
            first = first or _told(error, request, backend)
    if first is not None:
        return msgspec.structs.replace(first, values=values)
    return Reply(_name(backends[0]), values)


def _set(backends: "list[KeyringBackend]", request: Request) -> Reply:
    (user,) = request.users
    first: Reply | None = None
    for backend in backends:
        try:
            cast(Any, backend).set_password(SERVICE, user, request.value)
            # Some take a key and keep nothing.
            if backend.get_password(SERVICE, user) == request.value:
                return Reply(_name(backend), {user: request.value})
            first = first or Reply(_name(backend), trouble="failed")
        except Exception as error:  # noqa: BLE001 - as above
            first = first or _told(error, request, backend)
    return first or Reply(trouble="none")


def _delete(backends: "list[KeyringBackend]", request: Request) -> Reply:
    (user,) = request.users
    values: dict[str, str] = {}
    first: Reply | None = None
    for backend in backends:
        try:
            if (value := backend.get_password(SERVICE, user)) is not None:
                backend.delete_password(SERVICE, user)
                values[user] = value
        except Exception as error:  # noqa: BLE001 - as above
            first = first or _told(error, request, backend)
    if first is not None:
        return msgspec.structs.replace(first, values=values)
    return Reply(_name(backends[0]), values)


def _told(error: Exception, request: Request, backend: object = None) -> Reply:
    """The trouble that an error means. Its words are kept, but for the key."""
    lineage = {kind.__name__ for kind in type(error).__mro__}
    if "NoKeyringError" in lineage:
        trouble: Trouble = "none"
    elif lineage & {"KeyringLocked", "InitError", "LockedException", "PromptDismissedException"}:
        trouble = "locked"
    elif isinstance(error, EOFError):
        trouble = "interactive"
    else:
        trouble = "failed"
    words = f"{type(error).__name__}: {error}"
    if request.value:
        words = words.replace(request.value, "…")
    return Reply("" if backend is None else _name(backend), trouble=trouble, detail=words[:400])


if __name__ == "__main__":
    serve()
