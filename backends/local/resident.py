"""One model on this machine, from the first request on: its child process, who waits for it, and how it fares."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ...workbench.conversation import Usage
from ...workbench.seam import Event, Finished, Progress, Prompt, Request, State
from .child_process import ChildProcess, Gone
from .exchange import GRACE_S, Exchange, died, failed, not_started, raised, refused
from .failures import EngineError
from .line import POLL_S, Line, Turn
from .manner import Manner
from .placement import Placement
from .protocol import Refusal, Rendered


class Resident:
    """A model that is, was or will be loaded.

    Args:
        path: of the model, absolute.
        place: chooses where the model goes, whenever its child is started.
        manner: what the configuration says of it now.
    """

    def __init__(self, path: Path, place: Callable[[Manner], Placement], manner: Callable[[], Manner]) -> None:
        self.path = path
        self._place = place
        self._manner = manner
        self._line = Line()
        self._starting = threading.Lock()
        self._child: ChildProcess | None = None
        self._unloaded: ChildProcess | None = None
        """The last child that was told to end."""
        self._answering = False
        self._problem: str | None = None
        self._used_at = time.monotonic()

    @property
    def state(self) -> State:
        """How it is right now."""
        child = self._child
        if child is not None and child.gone is None:
            if child.loaded is not None:
                return "loaded"
            if self._answering:
                return "loading"
        return "on_disk" if self.problem is None else "failed"

    @property
    def problem(self) -> str | None:
        """Why the last try failed."""
        child = self._child
        if child is not None and child.gone is not None and not child.gone.on_purpose:
            return str(died(child.gone, self.path.name))
        return self._problem

    @property
    def is_loading(self) -> bool:
        """Whether its weights are on their way into memory, or about to be."""
        child = self._child
        return self._answering and (child is None or child.gone is not None or child.loaded is None)

    @property
    def pid(self) -> int | None:
        """Its child's process id, while there is one."""
        child = self._child
        return child.pid if child is not None and child.gone is None else None

    def generate(self, request: Request, stop: threading.Event) -> Iterator[Event]:
        """One answer, as of the seam."""
        yield Progress("starting")
        turn = self._line.enter(stop)
        if turn is None:
            yield Finished("cancelled", Usage(completion_tokens=0))
            return
        self._answering = True
        start = _Start(self._living_child)
        try:
            child = start.wait(stop)
        except Exception as error:  # noqa: BLE001 - a driver that is asked for room may raise anything
            self._over(turn)
            yield failed(not_started(error, request))
            return
        if child is None:
            start.undo(lambda: self._over(turn))
            yield Finished("cancelled", Usage(completion_tokens=0))
            return
        self._problem = None
        answer = Exchange(child, request, lambda: self._over(turn, answer.loading_failed))
        try:
            yield from answer.events(stop)
        finally:
            # Also when whoever reads has lost interest.
            answer.break_off()

    def prompt(self, request: Request, stop: threading.Event) -> Prompt:
        """The exact prompt; waits for nobody's answer.

        Raises:
            QiaoError: as a `Failed` event would say it.
        """
        while not stop.is_set():
            try:
                child = self._living_child(for_weights=False)
            except Exception as error:
                raise raised(not_started(error, request)) from error
            inbox = child.render(request)
            try:
                reply = None
                while reply is None and not stop.is_set():
                    reply = inbox.get(POLL_S)
            finally:
                child.forget(inbox)
                self._used_at = time.monotonic()
            match reply:
                case Rendered():
                    return reply.prompt
                case Refusal():
                    raise raised(refused(reply))
                case Gone(on_purpose=False):
                    raise raised(died(reply, str(request.address)))
                case _:
                    # Ended by someone who stopped its loading: a new one will do.
                    pass
        with self._starting:
            child = self._child
            if child is not None and child.loaded is None and not child.busy:
                child.kill()
        raise raised(EngineError("engine.cancelled"))

    def unload(self) -> None:
        """Ends the child, and so gives all memory back; an answer that it was at is cancelled."""
        with self._starting:
            child, self._child = self._child, None
            self._unloaded = child or self._unloaded
            self._problem = None
        if child is not None:
            child.end(GRACE_S)

    def wait_for_end(self, seconds: float) -> None:
        """Waits, up to so many seconds, until a child that was told to end has given its memory back."""
        for child in (self._child, self._unloaded):
            if child is not None and child.ending:
                child.wait(seconds)

    def unload_if_idle(self, seconds: float) -> None:
        """Ends its child, if that has answered and shown nothing for so long. Whoever waits for it keeps it."""
        child = self._child
        if child is None or child.busy or time.monotonic() - self._used_at < seconds:
            return
        turn = self._line.enter_if_free()
        if turn is None:
            return
        try:
            self.unload()
        finally:
            turn.leave()

    def _living_child(self, for_weights: bool = True) -> ChildProcess:
        """The child; started if there is none, or if it can't see the GPUs that the weights shall go to, or takes the
        model in another manner than is configured by now.

        Raises:
            Exception: no process can be started, or no place for it be found.
        """
        with self._starting:
            child = self._child
            manner = self._manner()
            if child is not None:
                changed = child.manner != manner and (for_weights or not child.busy)
                if child.ending or changed:
                    # One that refuses to end would keep its memory.
                    child.end(GRACE_S)
                    child = None
                elif child.gone is not None:
                    child = None
            if child is not None and (child.loaded is not None or not for_weights):
                return child
            placement = self._place(manner)
            if child is not None:
                if placement == child.placement:
                    return child
                child.kill()
            self._child = ChildProcess(self.path, placement, manner)
            self._used_at = time.monotonic()
            return self._child

    def _over(self, turn: Turn, problem: str | None = None) -> None:
        self._answering = False
        self._used_at = time.monotonic()
        self._problem = problem
        turn.leave()


class _Start:
    """A child being started in a thread, since asking the GPUs for room may take a second."""

    def __init__(self, start: Callable[[], ChildProcess]) -> None:
        self._result: ChildProcess | Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(start,), name="engine start", daemon=True)
        self._thread.start()

    def wait(self, stop: threading.Event) -> ChildProcess | None:
        """The child; None as soon as `stop` is set.

        Raises:
            Exception: no process can be started, or no place for it be found.
        """
        while self._thread.is_alive() and not stop.is_set():
            self._thread.join(POLL_S)
        if stop.is_set():
            return None
        if isinstance(self._result, Exception):
            raise self._result
        return self._result

    def undo(self, then: Callable[[], None]) -> None:
        """Ends the child once it is there, unless it is loaded already; then calls `then`. Doesn't wait."""
        threading.Thread(target=self._undo, args=(then,), name="engine stop", daemon=True).start()

    def _run(self, start: Callable[[], ChildProcess]) -> None:
        try:
            self._result = start()
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            self._result = error

    def _undo(self, then: Callable[[], None]) -> None:
        self._thread.join()
        if isinstance(self._result, ChildProcess) and self._result.loaded is None:
            self._result.kill()
        then()
