"""One model on this machine, from the first request on: its child process, who waits for it, and how it fares."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ...workbench.conversation import Usage
from ...workbench.errors import QiaoError
from ...workbench.seam import Event, Failed, Finished, Progress, Prompt, Request, Started, State, Text, Thinking
from ...workbench.visible import visible_line
from .child_process import ChildProcess, Gone
from .failures import EngineError
from .line import POLL_S, Line, Turn
from .placement import Placement
from .protocol import Refusal, Rendered, Said

LAST_EVENTS_S = 0.08
"""How long the child's own last event is waited for after a stop; its counts are better than ours."""

OVERRUN_S = 1.0
"""A child that still computes so long after a stop is killed."""

GRACE_S = 2.0
"""How long a child has to end by itself."""


class Resident:
    """A model that is, was or will be loaded.

    Args:
        path: of the model, absolute.
        place: chooses where the model goes, whenever its child is started.
    """

    def __init__(self, path: Path, place: Callable[[], Placement]) -> None:
        self.path = path
        self._place = place
        self._line = Line()
        self._starting = threading.Lock()
        self._child: ChildProcess | None = None
        self._answering = False
        self._problem: str | None = None

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
            return str(_died(child.gone, self.path.name))
        return self._problem

    @property
    def placement(self) -> Placement | None:
        """Where its child runs, if it has one."""
        child = self._child
        return child.placement if child is not None and child.gone is None else None

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
        except OSError as error:
            self._over(turn)
            reason = error.strerror or type(error).__name__
            yield _failed(EngineError("engine.not_started", model=str(request.address), reason=reason))
            return
        if child is None:
            start.undo(lambda: self._over(turn))
            yield Finished("cancelled", Usage(completion_tokens=0))
            return
        self._problem = None
        answer = _Answer(child, request, lambda: self._over(turn, answer.loading_failed))
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
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise _raised(EngineError("engine.not_started", model=str(request.address), reason=reason)) from error
            inbox = child.render(request)
            try:
                reply = None
                while reply is None and not stop.is_set():
                    reply = inbox.get(POLL_S)
            finally:
                child.forget(inbox)
            match reply:
                case Rendered():
                    return reply.prompt
                case Refusal():
                    raise _raised(_refused(reply))
                case Gone(on_purpose=False):
                    raise _raised(_died(reply, str(request.address)))
                case _:
                    # Ended by someone who stopped its loading: a new one will do.
                    pass
        with self._starting:
            child = self._child
            if child is not None and child.loaded is None and not child.busy:
                child.kill()
        raise _raised(EngineError("engine.cancelled"))

    def unload(self) -> None:
        """Ends the child, and so gives all memory back; an answer that it was at is cancelled."""
        with self._starting:
            child, self._child = self._child, None
            self._problem = None
        if child is not None:
            child.end(GRACE_S)

    def _living_child(self, for_weights: bool = True) -> ChildProcess:
        """The child; started if there is none, or if it can't see the GPUs that the weights shall go to.

        Raises:
            OSError: no process can be started.
        """
        with self._starting:
            child = self._child
            if child is not None and child.gone is None and not child.ending:
                if child.loaded is not None or not for_weights:
                    return child
                placement = self._place()
                if placement == child.placement:
                    return child
                child.kill()
            else:
                placement = self._place()
            self._child = ChildProcess(self.path, placement)
            return self._child

    def _over(self, turn: Turn, problem: str | None = None) -> None:
        self._answering = False
        self._problem = problem
        turn.leave()


class _Start:
    """A child being started in a thread, since asking the GPUs for room may take a second."""

    def __init__(self, start: Callable[[], ChildProcess]) -> None:
        self._result: ChildProcess | OSError | None = None
        self._thread = threading.Thread(target=self._run, args=(start,), name="engine start", daemon=True)
        self._thread.start()

    def wait(self, stop: threading.Event) -> ChildProcess | None:
        """The child; None as soon as `stop` is set.

        Raises:
            OSError: no process can be started.
        """
        while self._thread.is_alive() and not stop.is_set():
            self._thread.join(POLL_S)
        if isinstance(self._result, OSError):
            raise self._result
        return None if stop.is_set() else self._result

    def undo(self, then: Callable[[], None]) -> None:
        """Ends the child once it is there, unless it is loaded already; then calls `then`. Doesn't wait."""
        threading.Thread(target=self._undo, args=(then,), name="engine stop", daemon=True).start()

    def _run(self, start: Callable[[], ChildProcess]) -> None:
        try:
            self._result = start()
        except OSError as error:
            self._result = error

    def _undo(self, then: Callable[[], None]) -> None:
        self._thread.join()
        if isinstance(self._result, ChildProcess) and self._result.loaded is None:
            self._result.kill()
        then()


class _Answer:
    """The replies to one request, on their way to whoever asked.

    Args:
        then: called once, when the child is free again: before the last event is handed out, or up to OVERRUN_S after
            a stop.
    """

    def __init__(self, child: ChildProcess, request: Request, then: Callable[[], None]) -> None:
        self._child = child
        self._request = request
        self._then = then
        self._inbox = child.generate(request)
        self._broken_off = False
        self._prompt_tokens: int | None = None
        self._tokens = 0
        self._thinking_tokens = 0
        self._over = False
        """The child has said its last on this."""
        self.loading_failed: str | None = None
        """Why the weights couldn't be loaded."""

    def events(self, stop: threading.Event) -> Iterator[Event]:
        """Until the last one."""
        while not self._over:
            event = self._next(POLL_S)
            if stop.is_set() and not self._over:
                yield from self._last_events(event)
                return
            if self._over:
                self.break_off()
            if event is not None:
                yield event

    def break_off(self) -> None:
        """Sees to it that the child is free within OVERRUN_S; doesn't wait for that. Called again, it does nothing."""
        if self._broken_off:
            return
        self._broken_off = True
        if self._over:
            self._child.forget(self._inbox)
            self._then()
            return
        if self._child.loaded is None:
            # Loading can't be interrupted.
            self._child.kill()
        else:
            self._child.stop(self._inbox)
        threading.Thread(target=self._see_to_the_end, name="engine stop", daemon=True).start()

    def _see_to_the_end(self) -> None:
        deadline = time.monotonic() + OVERRUN_S
        while not self._over and (left := deadline - time.monotonic()) > 0:
            self._next(left)
        if not self._over:
            self._child.kill()
            self._child.wait(GRACE_S)
        self._child.forget(self._inbox)
        self._then()

    def _last_events(self, event: Event | None) -> Iterator[Event]:
        """After a stop: what has still come, and the last event, the child's own if it comes soon."""
        if event is not None:
            yield event
        if self._child.loaded is not None:
            self._child.stop(self._inbox)
            deadline = time.monotonic() + LAST_EVENTS_S
            while not self._over and (left := deadline - time.monotonic()) > 0:
                event = self._next(left)
                if self._over:
                    self.break_off()
                if event is not None:
                    yield event
        if not self._broken_off:
            cancelled = self._cancelled()
            self.break_off()
            yield cancelled

    def _next(self, timeout: float) -> Event | None:
        """The next event; None if there is none within `timeout` seconds."""
        reply = self._inbox.get(timeout)
        match reply:
            case Said(event=event):
                self._count(event)
                return event
            case Refusal():
                self._over = True
                error = _refused(reply)
                if reply.fatal:
                    self._child.ask_to_end()
                    self.loading_failed = str(error)
                return _failed(error)
            case Gone():
                self._over = True
                # Unloaded meanwhile, or killed after a stop: nobody's mistake.
                return self._cancelled() if reply.on_purpose else _failed(_died(reply, str(self._request.address)))
            case _:
                return None

    def _count(self, event: Event) -> None:
        match event:
            case Started():
                self._prompt_tokens = event.prompt_tokens
            case Text():
                self._tokens += event.tokens
            case Thinking():
                self._tokens += event.tokens
                self._thinking_tokens += event.tokens
            case Finished() | Failed():
                self._over = True
            case _:
                pass

    def _cancelled(self) -> Finished:
        usage = Usage(self._prompt_tokens, self._tokens, None, self._thinking_tokens)
        return Finished("cancelled", usage)


def _refused(refusal: Refusal) -> EngineError:
    """What the child refused with, made safe for a terminal."""
    params = {name: visible_line(value) for name, value in refusal.params.items()}
    return EngineError(refusal.key, **params)


def _died(gone: Gone, model: str) -> EngineError:
    """What a child that ended by itself has to say for itself."""
    model, log, said = visible_line(model), visible_line(str(gone.log)), visible_line(gone.last_words[:200])
    if gone.code == -signal.SIGKILL:
        return EngineError("engine.died_killed", model=model, log=log)
    if gone.code < 0:
        try:
            name = signal.Signals(-gone.code).name
        except ValueError:
            name = str(-gone.code)
        return EngineError("engine.died_signal", model=model, signal=name, log=log)
    if said:
        return EngineError("engine.died_exit_said", model=model, code=gone.code, said=said, log=log)
    return EngineError("engine.died_exit", model=model, code=gone.code, log=log)


def _failed(error: EngineError) -> Failed:
    return Failed(error.kind, str(error))


def _raised(error: EngineError) -> QiaoError:
    return _failed(error).error()
