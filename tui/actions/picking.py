"""What the keys do in the model picker: use, fetch, unload, serve; ask a provider, give its key, add one."""

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from ...workbench.address import Address
from ...workbench.errors import QiaoError
from ...workbench.seam import Progress
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..dialogs.questions import LineInput
from ..jobs import Job
from ..panes.model_tree import Add, Part, Recent, is_folded
from ..panes.models import ModelRows, ModelsPane
from .group import Actions

if TYPE_CHECKING:
    from ..dialogs.add_provider import NewProvider


class Picking(Actions):
    """Acts on the row that is selected in the picker."""

    @property
    def picker(self) -> ModelsPane:
        return self.bench.query_one(ModelsPane)

    def do_models(self) -> None:
        self.bench.open_pane("#models", ModelRows)
        self.picker.reveal_current()
        self.bench.refresh_hints()

    def do_filter_models(self) -> None:
        if not self.picker.rows.has_focus:
            self.do_models()
        self.picker.type_filter()

    # Choosing

    def choose(self, key: object) -> None:
        """Uses the model of a row, or does what the row is for.

        Args:
            key: the row's.
        """
        match key:
            case Address() as address:
                self.use_model(address)
                self.bench.close_overlays()
            case Recent(address):
                self.use_model(address)
                self.bench.close_overlays()
            case Part(provider):
                self._open_part(provider)
            case Add():
                self.do_add_provider()
            case _:
                pass

    def use_model(self, address: Address) -> None:
        """The conversation's next answer comes from this model."""
        name = str(address)
        known = self.bench.known
        known.keep(known.remembered.used(address))
        if name != self.session.conversation.model:
            self.bench.edit_change("label.model", lambda c: msgspec.structs.replace(c, model=name))
        else:
            self.bench.refresh_models()

    # Parts

    def _open_part(self, provider: str) -> None:
        """Unfolds it, or folds it; one none of whose models are known is asked for them."""
        known = self.bench.known
        source = known.source(provider)
        if known.is_unknown(provider):
            self._ask(provider)
        else:
            self.bench.fold(provider, source is None or not is_folded(source, known.remembered.folded))

    def fold_part(self, provider: str, folded: bool) -> None:
        """Folds it, or unfolds it; as `_open_part` does."""
        if folded or not self.bench.known.is_unknown(provider):
            self.bench.fold(provider, folded)
        else:
            self._ask(provider)

    def do_refresh_models(self) -> None:
        provider = self.picker.provider
        source = None if provider is None else self.bench.known.source(provider)
        if source is not None and source.base_url is not None:
            self._ask(source.provider)
        self.qiao.look_for_models()

    def _ask(self, provider: str) -> None:
        """Asks a provider for its models; that takes a connection, and perhaps a key."""
        self.bench.fold(provider, False)
        backends = self.qiao.backends
        from ..dialogs.keys import after_unlocking

        after_unlocking(
            self.app,
            backends,
            provider,
            lambda: self.bench.begin(Part(provider), lambda stop: backends.refresh(provider, stop)),
        )

    # What takes its time

    def leave(self, row: object) -> None:
        """Stops what is under way in this row; if nothing is, leaves the picker."""
        key = row.address if isinstance(row, Recent) else row
        if not self.qiao.jobs.stop(key):
            self.bench.close_overlays()

    def job_ended(self, job: Job) -> None:
        """Something that was under way is done, stopped, or has failed."""
        self.bench.refresh_models()
        self.bench.refresh_hints()
        self.qiao.look_for_models()
        if job.stop.is_set():
            return
        if job.ended is not None:
            job.ended(job.error)
        elif job.error is None:
            return
        elif isinstance(job.key, Part) and self.bench.is_at_rest and self._wants_key(job.key.provider):
            self._give_key(job.key.provider)
        else:
            self.qiao.tell(str(job.error), error=True)

    def _wants_key(self, provider: str) -> bool:
        sources = self.qiao.backends.sources()
        return any(s.provider == provider and s.needs_key and s.key is None for s in sources)

    def do_fetch_model(self) -> None:
        address = self.picker.address
        model = None if address is None else self.bench.known.model(address)
        if model is not None and model.state == "absent":
            self._fetch(model.address)
            return

        def named(text: str | None) -> None:
            if text is not None and text.strip():
                self.bench.guarded(lambda: self._fetch(_local(text.strip())))

        self.app.push_screen(LineInput(say("picker.fetch_which")), named)

    def _fetch(self, address: Address) -> None:
        backends = self.qiao.backends

        def fetch(stop: threading.Event) -> Iterator[Progress]:
            yield from backends.fetch(address, stop)

        self.bench.begin(address, fetch)

    def do_unload_model(self) -> None:
        address = self.picker.address
        if address is None or self.bench.serving.end_server(address):
            return
        backends = self.qiao.backends
        self.bench.begin(address, lambda stop: backends.unload(address))

    # Providers

    def do_provider_key(self) -> None:
        provider = self.picker.provider
        source = None if provider is None else self.bench.known.source(provider)
        if source is None or source.base_url is None:
            raise QiaoError("picker.key_of_what")
        self._give_key(source.provider)

    def _give_key(self, provider: str) -> None:
        backends = self.qiao.backends
        known = backends.providers.get(provider)
        if known is None:
            raise QiaoError("picker.key_of_what")

        def given(changed: bool | None) -> None:
            if changed:
                self._ask(provider)

        from ..dialogs.keys import KeyDialog

        self.app.push_screen(KeyDialog(known, backends), given)

    def do_add_provider(self) -> None:
        def added(new: "NewProvider | None") -> None:
            if new is None:
                return
            self.qiao.settings_changed()
            self.qiao.tell(say("picker.added", name=visible_line(new.name)))
            # Its row has to stand there before it can be selected.
            self.bench.known.sources = self.qiao.backends.sources()
            self._ask(new.name)
            self.picker.rows.select(Part(new.name))

        taken = [source.provider for source in self.bench.known.sources]
        from ..dialogs.add_provider import AddProvider

        self.app.push_screen(AddProvider(taken), added)

    def do_keys(self) -> None:
        from ..dialogs.key_list import KeyList

        def left(changed: bool | None) -> None:
            if changed:
                self.qiao.look_for_models()

        self.app.push_screen(KeyList(self.qiao.backends, self.inks, self.bench.address.provider), left)


def _local(text: str) -> Address:
    """The address that a person typed; without a provider it is this machine's."""
    return Address.parse(text if text.startswith("local:") else f"local:{text}")
