"""What the keys do with API keys, and asking for the passphrase of their file before a run."""

from ...workbench.errors import QiaoError
from ...workbench.visible import visible_line
from ..running import Run
from .conversation_actions import ConversationActions
from .key_list import KeyList
from .keys import KeyDialog


class KeyActions(ConversationActions):
    """Each `do_ID` carries out the action of that id."""

    def do_keys(self) -> None:
        self.app.push_screen(KeyList(self.qiao.backends, self.inks, self.address.provider), self._keys_changed)

    def open_keys(self, provider: str) -> None:
        """The dialog of one provider, by its name in addresses.

        Raises:
            QiaoError: it is none that takes a key.
        """
        known = self.qiao.backends.providers.get(provider)
        if known is None:
            raise QiaoError("keys.no_provider", provider=visible_line(provider))
        self.app.push_screen(KeyDialog(known, self.qiao.backends), self._keys_changed)

    def _keys_changed(self, changed: bool | None) -> None:
        if changed:
            self.qiao.look_for_models()

    def start_run(self, run: Run) -> None:
        """The same, after the passphrase of the file of keys, if this run's key lies there and nobody has given it."""
        backends, name = self.qiao.backends, run.ask.requests[0].address.provider
        provider = backends.providers.get(name)
        if provider is None or not backends.keys.is_locked(name, provider.key_env):
            super().start_run(run)
            return
        # Left without the passphrase, it is started all the same, and says what it lacks.
        start = super().start_run
        self.app.push_screen(KeyDialog(provider, backends, unlocking=True), lambda _: start(run))
