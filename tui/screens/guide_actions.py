"""Finding one's way: the help page, and what is carried out from it."""

from .conversation_actions import ConversationActions
from .help import Help


class GuideActions(ConversationActions):
    """Each `do_ID` carries out the action of that id."""

    def do_help(self) -> None:
        def chosen(action_id: str | None) -> None:
            if action_id is not None:
                self.action_do(action_id)

        self.app.push_screen(Help(self.qiao.keys, self.inks), chosen)
