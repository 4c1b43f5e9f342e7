"""Keys in a file, encrypted with a passphrase: for machines without a keyring, as most are that are reached by SSH.

Each key is sealed by itself (AES-256-GCM, a fresh nonce each time, the provider's name bound to it), with one key made
from the passphrase by scrypt. So the names can be listed, and an entry deleted, without the passphrase.
"""

import base64
import hashlib
import os
import secrets
import threading
import unicodedata
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...workbench import paths
from ...workbench.errors import QiaoError, Refused, Unreadable
from ...workbench.saving import Unsaved, digest_of, read, write
from ...workbench.toml_source import parsed
from ...workbench.toml_writing import dumps
from ...workbench.visible import visible_line

NAME = "keys.toml"
NONCE_BYTES = 12
SALT_BYTES = 16
SHORTEST = 8
"""Characters of a passphrase."""

COST, _R, _P = 2**16, 8, 2
"""scrypt's cost: 64 MiB and some 0.3 s a guess; one of the minimum settings of OWASP's Password Storage Cheat Sheet."""
_MOST_MEMORY = 2**28
"""Bytes. A file that asks for more isn't ours."""


class WrongPassphrase(QiaoError):
    """The passphrase opens none of the keys."""

    exit_code = 3


class Locked(Refused):
    """The key is there, but nobody has given the passphrase in this run."""


class _Scrypt(msgspec.Struct, frozen=True):
    n: Annotated[int, Meta(ge=2**14, le=2**20)]
    r: Annotated[int, Meta(ge=1, le=32)]
    p: Annotated[int, Meta(ge=1, le=16)]
    salt: str


class _Content(msgspec.Struct, frozen=True):
    scrypt: _Scrypt
    key: dict[str, str]
    """Provider to nonce and sealed key, in base64."""
    qiao: int = 1


class KeyFile:
    """The encrypted file. Blocking, from any thread; unlocked once a run."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._scrypt: _Scrypt | None = None
        self._secret: bytes | None = None

    @property
    def path(self) -> Path:
        return paths.data_dir() / NAME

    def providers(self) -> list[str]:
        """Whose keys are in it; no passphrase needed.

        Raises:
            Unreadable: the file is there, but isn't one of these.
        """
        content, _ = self._read()
        return [] if content is None else list(content.key)

    def is_locked(self) -> bool:
        """Whether there are keys in it that need the passphrase first."""
        content, _ = self._read()
        return content is not None and bool(content.key) and not self._is_for(content)

    @property
    def is_open(self) -> bool:
        """Whether a passphrase has been given in this run."""
        return self._secret is not None

    def unlock(self, passphrase: str) -> None:
        """Opens it for this run. Where no file is yet, this becomes its passphrase once a key is kept.

        Raises:
            WrongPassphrase: it isn't the one that the keys were sealed with.
            Unreadable: a new one is too short, or the file can't be read.
        """
        with self._lock:
            content, _ = self._read()
            entries = {} if content is None else content.key
            if content is None or not entries:
                if len(passphrase) < SHORTEST:
                    raise Unreadable("keys.passphrase_short", least=SHORTEST)
                scrypt = _Scrypt(COST, _R, _P, _text(secrets.token_bytes(SALT_BYTES)))
            else:
                scrypt = content.scrypt
            secret = _derived(passphrase, scrypt)
            if entries and not any(_opens(secret, provider, sealed) for provider, sealed in entries.items()):
                raise WrongPassphrase("keys.wrong_passphrase")
            self._scrypt, self._secret = scrypt, secret

    def get(self, provider: str) -> str | None:
        """The provider's key, or None if the file has none.

        Raises:
            Locked: it has, and is locked.
            WrongPassphrase: this key was sealed with another passphrase, or changed since.
        """
        with self._lock:
            content, _ = self._read()
            sealed = None if content is None else content.key.get(provider)
            if content is None or sealed is None:
                return None
            if self._secret is None or not self._is_for(content):
                raise Locked("keys.file_locked", provider=visible_line(provider))
            return _unsealed(self._secret, provider, sealed)

    def set(self, provider: str, value: str) -> None:
        """Keeps the key; the file is unlocked, or new and has got its passphrase.

        Raises:
            Locked: neither is so.
            Unsaved: the file can't be written.
        """
        with self._lock:
            content, digest = self._read()
            if self._secret is None or self._scrypt is None or (content and content.key and not self._is_for(content)):
                raise Locked("keys.file_locked", provider=visible_line(provider))
            entries = {} if content is None else content.key
            self._write({**entries, provider: _sealed(self._secret, provider, value)}, self._scrypt, digest)

    def delete(self, provider: str) -> bool:
        """Takes the provider's key out, without the passphrase; the last one takes the file with it.

        Returns:
            Whether there was one.
        """
        with self._lock:
            content, digest = self._read()
            if content is None or provider not in content.key:
                return False
            rest = {name: sealed for name, sealed in content.key.items() if name != provider}
            self._write(rest, content.scrypt, digest)
            if not rest:
                self.path.unlink(missing_ok=True)
                self._scrypt = self._secret = None
            return True

    def _is_for(self, content: _Content) -> bool:
        """Whether the secret at hand was made for this file: another Qiao may have begun a new one."""
        return self._secret is not None and self._scrypt == content.scrypt

    def _read(self) -> tuple[_Content | None, str | None]:
        """What is in the file, and its digest; None for each that there isn't."""
        name = str(self.path)
        try:
            data, digest = read(self.path)
        except Unreadable as error:
            if error.key == "document.not_found":
                return None, None
            raise
        if not data.strip():
            return None, digest
        table: dict[str, Any] = parsed(data, name)
        try:
            content = msgspec.convert(table, _Content)
            n, r = content.scrypt.n, content.scrypt.r
            if content.qiao != 1 or n & (n - 1) or 128 * n * r > _MOST_MEMORY:
                raise ValueError
            base64.b64decode(content.scrypt.salt, validate=True)
        except ValueError:
            raise Unreadable("keys.no_key_file", file=visible_line(name)) from None
        return content, digest

    def _write(self, entries: dict[str, str], scrypt: _Scrypt, digest: str | None) -> None:
        path = self.path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if digest is None:
                # What is written next keeps the mode that it finds.
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
                digest = digest_of(b"")
            else:
                path.chmod(0o600)
        except OSError as error:
            detail = visible_line(error.strerror or str(error))
            raise Unsaved("document.unwritable", file=visible_line(str(path)), detail=detail) from None
        write(path, dumps({"qiao": 1, "kind": "keys", "scrypt": msgspec.to_builtins(scrypt), "key": entries}), digest)


def _derived(passphrase: str, scrypt: _Scrypt) -> bytes:
    # The same words give the same bytes, whichever input method they were typed with.
    words = unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogatepass")
    salt = base64.b64decode(scrypt.salt)
    n, r, p = scrypt.n, scrypt.r, scrypt.p
    return hashlib.scrypt(words, salt=salt, n=n, r=r, p=p, maxmem=2 * _MOST_MEMORY, dklen=32)


def _opens(secret: bytes, provider: str, sealed: str) -> bool:
    try:
        _unsealed(secret, provider, sealed)
    except WrongPassphrase:
        return False
    return True


def _sealed(secret: bytes, provider: str, value: str) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(NONCE_BYTES)
    return _text(nonce + AESGCM(secret).encrypt(nonce, value.encode(), _bound(provider)))


def _unsealed(secret: bytes, provider: str, sealed: str) -> str:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        data = base64.b64decode(sealed, validate=True)
        return AESGCM(secret).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], _bound(provider)).decode()
    except (InvalidTag, ValueError):
        raise WrongPassphrase("keys.wrong_passphrase") from None


def _bound(provider: str) -> bytes:
    """What an entry is bound to, so that it can't be put under another provider's name."""
    return f"qiao key 1 {provider}".encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
