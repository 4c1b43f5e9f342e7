"""Which model gives all answers anew: the conversation's own is selected, others are found as one types."""

from collections.abc import Hashable, Sequence
from itertools import islice

from textual.app import ComposeResult
from textual.widgets import Static

from ...workbench.address import Address
from ...workbench.errors import QiaoError
from ...workbench.sampling import NAMES, Sampling
from ...workbench.seam import Model
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..look.inks import Inks
from ..panes.rows import Row
from ..text.glyphs import glyphs
from ..text.wrap import Run
from .filtered import FilteredList

LISTED = 100
"""Models; whoever has more types another letter."""


class ReplayWith(FilteredList[Address]):
    """The result is the model's address.

    Args:
        inks: of the theme.
        counts: of the answers to be given anew, and of those by hand that stay.
        current: the model that answers next.
        models: all that are known.
        sampling: what the answers are given with.
    """

    CSS_PATH = ["filtered.tcss", "replay_with.tcss"]

    def __init__(
        self, inks: Inks, counts: tuple[int, int], current: Address, models: Sequence[Model], sampling: Sampling
    ) -> None:
        count, staying = counts
        words = say("replay.staying", n=count, staying=staying) if staying else say("replay.title", n=count)
        super().__init__(inks, words)
        others = [model.address for model in models if model.address != current]
        self._names = [(address, str(address).lower()) for address in (current, *others)]
        self._current = current
        self._sampling = sampling

    def below(self) -> ComposeResult:
        given = ((name, getattr(self._sampling, name)) for name in NAMES)
        words = " · ".join(f"{name} {_shown(value)}" for name, value in given if value is not None)
        yield Static(say("replay.sampling", sampling=words) if words else say("replay.no_sampling"), markup=False)

    def listed(self, typed: str) -> Sequence[Row]:
        words = typed.lower().split()
        fitting = (address for address, name in self._names if all(word in name for word in words))
        rows = [self._row(address) for address in islice(fitting, LISTED)]
        return rows or self._typed_row(typed) or [Row((Run(say("screen.no_models"), "faint"),))]

    def _row(self, address: Address) -> Row:
        is_current = address == self._current
        right = (Run(f"{glyphs.mark} ", "good"),) if is_current else ()
        return Row((Run(visible_line(str(address)), "strong" if is_current else "text"),), right, address)

    def _typed_row(self, typed: str) -> list[Row]:
        """An address that no list has."""
        try:
            address = Address.parse(typed.strip())
        except QiaoError:
            return []
        return [Row((Run(say("picker.use", address=visible_line(str(address)))),), (), address)]

    def choose(self, key: Hashable | None) -> None:
        if isinstance(key, Address):
            self.dismiss(key)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return say("screen.on" if value else "screen.off")
    return visible_line(f"{value:g}" if isinstance(value, float) else str(value))
