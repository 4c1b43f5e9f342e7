"""Where the keys of providers are: found in order, kept where the person chooses, and always told from where."""

import os
import threading
from collections.abc import Sequence

from ...workbench.visible import visible_line
from .key import Key, cleaned

__all__ = ["Key", "Keys"]


class Keys:
    """The keys of all providers, looked for in the environment, the keyring, the encrypted file, and this run.

    Every method may block for some seconds, and may be called from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._session: dict[str, Key] = {}

    def find(self, provider: str, variables: Sequence[str] = ()) -> Key | None:
        """The provider's key, or None if none is known. Blocks for five seconds at most.

        Args:
            provider: its name in addresses.
            variables: the environment variables that may hold it, the first that is set wins over all other places.

        Raises:
            QiaoError: a key is there but can't be used: a variable holds what is no key, or it lies in the encrypted
                file and that is locked. The message says what to do.
        """
        for variable in variables:
            if os.environ.get(variable, "").strip():
                return Key(cleaned(os.environ[variable], place=f"${visible_line(variable)}"), "environment")
        with self._lock:
            return self._session.get(provider)
