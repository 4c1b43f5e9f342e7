"""What the keys do with vLLM servers that Qiao starts: serve a model, end a server, and leave with one running."""

import shlex
import threading
from collections.abc import Iterator, Sequence

from textual import work

from ...workbench.address import LOCAL, Address
from ...workbench.errors import QiaoError
from ...workbench.seam import Progress
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..bench.base import WorkbenchBase
from ..dialogs.questions import Choice, LineInput, Question
from ..panes.models import ModelsPane


class ServerActions(WorkbenchBase):
    """Each `do_ID` carries out the action of that id."""

    def do_serve_model(self) -> None:
        address = self.query_one(ModelsPane).address
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

        self.begin(address, serve, self._serve_ended)

    def _serve_ended(self, error: QiaoError | None) -> None:
        if error is None:
            servers = self.qiao.backends.servers()
            if servers:
                self.fold(servers[-1].address.provider, False)
                self.qiao.tell(say("picker.serving", address=visible_line(str(servers[-1].address))))
        else:
            # Stays until it has been read: the cause, what to change, and where the log is.
            self.app.push_screen(Question(str(error), []))

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
                self.begin(address, lambda stop: backends.end_server(address))

        self.app.push_screen(question, answered)
        return True

    # Leaving

    def do_quit(self) -> None:
        if not any(session.runs for session in self.sessions):
            self._leave()
            return
        choices = [Choice("q", say("screen.choice_quit"), "quit")]
        question = Question(say("screen.still_running"), choices)
        self.app.push_screen(question, lambda answer: self._leave() if answer else None)

    def _leave(self) -> None:
        """Leaves; if a server of this run is still there, the person says what becomes of it."""
        mine = [server.address for server in self.qiao.backends.servers() if server.mine and server.ready]
        if not mine:
            self.qiao.leave()
            return
        names = say("picker.comma").join(visible_line(str(address)) for address in mine)
        choices = [
            Choice("e", say("picker.choice_end_quit"), "end"),
            Choice("l", say("picker.choice_leave_quit"), "leave"),
        ]

        def answered(answer: str | None) -> None:
            if answer == "leave":
                for address in mine:
                    self.qiao.backends.leave_server(address)
                self.qiao.leave()
            elif answer == "end":
                self.qiao.tell(say("picker.ending"))
                self._end_and_leave(mine)

        self.app.push_screen(Question(say("picker.leave_server", names=names), choices), answered)

    @work(thread=True, exit_on_error=False, group="leave")
    def _end_and_leave(self, addresses: Sequence[Address]) -> None:
        for address in addresses:
            self.qiao.backends.end_server(address)
        self.app.call_from_thread(self.qiao.leave)
