"""`qiao models PROVIDER`: its models, asked for now; and which servers nearby can be asked without being named."""

import socket
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..workbench.address import Address
from ..workbench.errors import QiaoError
from ..workbench.seam import Model, Source
from ..workbench.visible import visible_line
from ..workbench.words import say
from .interrupt import Interrupt
from .streams import Narration
from .unlocking import unlock

if TYPE_CHECKING:
    from ..backends.registry import Backends

KNOCK_SECONDS = 0.3
LIST_SECONDS = 5.0
"""So long a server nearby may take to list its models, when it wasn't asked for by name."""


def models_of(provider: str, backends: "Backends", narration: Narration) -> list[Model]:
    """A provider's models, asked for now.

    Raises:
        QiaoError: there is no such provider, or its models can't be listed.
        KeyboardInterrupt: interrupted.
    """
    unlock(Address(provider, "*"), backends)
    with Interrupt() as interrupt:
        narration.status(say("cli.asking_provider", provider=provider))
        try:
            backends.refresh(provider, interrupt.stop)
        except QiaoError:
            interrupt.check()
            raise
        finally:
            narration.clear()
    return [model for model in backends.models() if model.address.provider == provider]


def models_at_hand(backends: "Backends") -> list[Model]:
    """This machine's models, those of servers that run on it, and lists that were asked for within a day."""
    stop = threading.Event()
    asking = [
        threading.Thread(target=_ask, args=(source.provider, backends, stop), daemon=True)
        for source in backends.sources()
        if source.problem is None and _answers(source)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(LIST_SECONDS)
    stop.set()
    return backends.models()


def unasked(sources: Sequence[Source]) -> list[str]:
    """The providers that have a key and whose models aren't known yet."""
    return [visible_line(source.provider) for source in sources if source.key is not None and not source.asked]


def _answers(source: Source) -> bool:
    """Whether something takes connections there, on this machine: a refusal costs nothing, and no client is loaded."""
    try:
        parts = urlsplit(source.base_url or "")
        if parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            return False
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection((parts.hostname, port), KNOCK_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def _ask(provider: str, backends: "Backends", stop: threading.Event) -> None:
    try:
        backends.refresh(provider, stop)
    except QiaoError:
        # Something else may listen there; the source keeps the reason.
        return
