"""The passphrase of the encrypted file of keys, asked for at the terminal."""

from typing import TYPE_CHECKING

from ..workbench.address import Address
from ..workbench.words import say
from .secret_line import typed

if TYPE_CHECKING:
    from ..backends.registry import Backends


def unlock(address: Address, backends: "Backends") -> None:
    """Asks for the passphrase, if the key of this address lies in the file and a person is at the terminal.

    In the main thread, before the answer begins: ctrl+c then ends the question, and the terminal echoes again.

    Raises:
        QiaoError: the key can't be used.
    """
    provider = backends.providers.get(address.provider)
    if provider is not None and backends.keys.is_locked(provider.name, provider.key_env):
        backends.keys.ask = passphrase
        try:
            backends.keys.find(provider.name, provider.key_env)
        finally:
            backends.keys.ask = None


def passphrase() -> str | None:
    """What the person types, or None if nobody can be asked."""
    return typed(say("cli.keys_passphrase"))
