"""What the keys do with vLLM servers that Qiao starts: serve a model, end a server."""

import shlex
import threading
from collections.abc import Iterator, Sequence

from ...workbench.address import LOCAL, Address
from ...workbench.errors import QiaoError
from ...workbench.seam import Progress
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..dialogs.questions import Choice, LineInput, Question
from ..panes.models import ModelsPane
from .group import Actions


class Serving(Actions):
    """Starts servers and ends them."""

    def do_serve_model(self) -> None:
        address = self.bench.query_one(ModelsPane).address
        if address is None or address.provider != LOCAL:
            raise QiaoError("picker.no_serving")
        suggested = shlex.join(self.qiao.backends.suggested_flags(address))

        def answered(text: str | None) -> None:
            if text is None:
                return
            try:
                flags = shlex.split(text)
            except ValueError:
                self.qiao.tell(say("picker.open_quote"), error=True)
            else:
                self._serve(address, flags)

        label = say("picker.serve_flags", model=visible_line(str(address)))
        self.app.push_screen(LineInput(label, suggested), answered)

    def _serve(self, address: Address, flags: Sequence[str]) -> None:
        backends = self.qiao.backends

        def serve(stop: threading.Event) -> Iterator[Progress]:
            yield from backends.serve(address, flags, stop)

        self.bench.begin(address, serve, self._serve_ended)

    def _serve_ended(self, error: QiaoError | None) -> None:
        if error is None:
            servers = self.qiao.backends.servers()
            if servers:
                self.bench.fold(servers[-1].address.provider, False)
                self.qiao.tell(say("picker.serving", address=visible_line(str(servers[-1].address))))
        else:
            # Stays until it has been read: the cause, what to change, and where the log is.
            self.bench.when_at_rest(lambda: self.app.push_screen(Question(str(error), [])))

    def end_server(self, address: Address) -> bool:
        """Asks whether the server that answers as this is to be ended. Returns whether there is one of ours."""
        backends = self.qiao.backends
        if address not in [server.address for server in backends.servers()]:
            return False
        question = Question(
            say("picker.end_server", address=visible_line(str(address))), [Choice("e", say("picker.choice_end"), "end")]
        )

        def answered(answer: str | None) -> None:
            if answer:
                self.bench.begin(address, lambda stop: backends.end_server(address))

        self.app.push_screen(question, answered)
        return True
