"""What the keys do with API keys, and asking for the passphrase of their file before a run."""

from functools import partial

from ..sessions.running import Run
from .conversation import ConversationActions


class KeyActions(ConversationActions):
    """Each `do_ID` carries out the action of that id."""

    def do_keys(self) -> None:
        from ..dialogs.key_list import KeyList

        def left(changed: bool | None) -> None:
            if changed:
                self.qiao.look_for_models()

        self.app.push_screen(KeyList(self.qiao.backends, self.inks, self.address.provider), left)

    def start_run(self, run: Run) -> None:
        """The same, but the passphrase of the file of keys is asked for first, if this run needs it."""
        from ..dialogs.keys import after_unlocking

        provider = run.ask.requests[0].address.provider
        after_unlocking(self.app, self.qiao.backends, provider, partial(super().start_run, run))
