"""Finding one's way: the help page with what is carried out from it, and the tour of the first start."""

import msgspec

from ...workbench.words import say
from ..keeping import remembered
from ..panes.tour_card import TourCard
from ..tour import Tour
from .group import Actions

LOWEST = 14
"""Lines of a screen that has room for the tour's card."""


class Guide(Actions):
    """The help page, and the tour while it is on."""

    tour: Tour | None = None

    def do_help(self) -> None:
        def chosen(action_id: str | None) -> None:
            if action_id is not None:
                self.bench.action_do(action_id)

        from ..screens.help import Help

        self.app.push_screen(Help(self.qiao.keys, self.inks), chosen)

    # The tour

    def do_tour(self) -> None:
        """From its beginning, on a page of its own."""
        self._end_tour()
        if self.session.messages:
            self.bench.action_do("new")
        self.tour = Tour()
        self.bench.query_one("#middle").mount(TourCard(self.inks, self.qiao.keys))
        self.bench.remembered = msgspec.structs.replace(self.bench.remembered, toured=True)
        remembered.save(self.bench.remembered)

    def go_on(self, shown: str | None = None) -> None:
        """The card shows the step that is next; behind the last one it goes.

        Args:
            shown: the action that has just opened another screen.
        """
        if self.tour is None:
            return
        self.tour.go_on(self.session, shown=shown)
        if self.tour.is_done:
            self._end_tour("done")
            return
        for card in self.bench.query(TourCard):
            card.display = self.bench.size.height >= LOWEST
            card.show(self.tour.step)

    def leave(self) -> None:
        """Ends the tour before its end, if it is on."""
        if self.tour is not None:
            self._end_tour("left")

    def _end_tour(self, why: str | None = None) -> None:
        self.tour = None
        self.bench.query(TourCard).remove()
        if why is not None:
            key = (self.qiao.keys.shown("help") or [":"])[0]
            self.qiao.tell(say("tour.done", help=key) if why == "done" else say("tour.left", help=key))
