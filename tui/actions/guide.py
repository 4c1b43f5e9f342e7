"""Finding one's way: the help page with what is carried out from it, and the tour of the first start."""

import msgspec

from ...workbench.words import say
from ..keeping import remembered
from ..panes.tour_card import TourCard
from ..tour import Tour
from .conversation import ConversationActions

LOWEST = 14
"""Lines of a screen that has room for the tour's card."""


class GuideActions(ConversationActions):
    """Each `do_ID` carries out the action of that id."""

    tour: Tour | None = None

    def do_help(self) -> None:
        def chosen(action_id: str | None) -> None:
            if action_id is not None:
                self.action_do(action_id)

        from ..screens.help import Help

        self.app.push_screen(Help(self.qiao.keys, self.inks), chosen)

    # The tour

    def do_tour(self) -> None:
        """From its beginning, on a page of its own."""
        self._end_tour()
        if self.session.messages:
            self.action_do("new")
        self.tour = Tour()
        self.query_one("#middle").mount(TourCard(self.inks, self.qiao.keys))
        self.remembered = msgspec.structs.replace(self.remembered, toured=True)
        remembered.save(self.remembered)

    def action_do(self, action_id: str) -> None:
        super().action_do(action_id)
        self._guide(action_id if self.app.screen is not self else None)

    def refresh_conversation(self) -> None:
        super().refresh_conversation()
        self._guide()

    def do_stop(self) -> None:
        busy = self.session.runs or self.session.marked or self.focused is not self.transcript
        super().do_stop()
        if self.tour is not None and not busy:
            self._end_tour("left")

    def _guide(self, shown: str | None = None) -> None:
        """The card shows the step that is next; behind the last one it goes."""
        if self.tour is None:
            return
        self.tour.go_on(self.session, shown=shown)
        if self.tour.is_done:
            self._end_tour("done")
            return
        for card in self.query(TourCard):
            card.display = self.size.height >= LOWEST
            card.show(self.tour.step)

    def _end_tour(self, why: str | None = None) -> None:
        self.tour = None
        self.query(TourCard).remove()
        if why is not None:
            key = (self.qiao.keys.shown("help") or [":"])[0]
            self.qiao.tell(say("tour.done", help=key) if why == "done" else say("tour.left", help=key))
