"""One request's exchange with a child process: its replies become events, a stop is seen through to the end."""

import signal
import threading
import time
from collections.abc import Callable, Iterator

import msgspec

from ...workbench.conversation import Usage
from ...workbench.errors import QiaoError
from ...workbench.seam import Event, Failed, Finished, Progress, Request, Started, Text, Thinking
from ...workbench.visible import visible_line
from ...workbench.words import say
from .child_process import ChildProcess, Gone
from .failures import EngineError, first_line
from .line import POLL_S
from .protocol import Noted, Refusal, Said

LAST_EVENTS_S = 0.08
"""How long the child's own last event is waited for after a stop; its counts are better than ours."""

OVERRUN_S = 1.0
"""A child that still computes so long after a stop is killed."""

GRACE_S = 2.0
"""How long a child has to end by itself."""


class Exchange:
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
        self._note = ""
        """What is to be said while the weights are loaded."""
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
                if isinstance(event, Progress) and event.stage == "loading":
                    return msgspec.structs.replace(event, note=self._note)
                return event
            case Noted():
                self._note = say(reply.key, **{name: visible_line(value) for name, value in reply.params.items()})
                return Progress("loading", note=self._note)
            case Refusal():
                self._over = True
                error = refused(reply)
                if reply.fatal:
                    self._child.ask_to_end()
                    self.loading_failed = str(error)
                return failed(error)
            case Gone():
                self._over = True
                # Unloaded meanwhile, or killed after a stop: nobody's mistake.
                return self._cancelled() if reply.on_purpose else failed(died(reply, str(self._request.address)))
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


def refused(refusal: Refusal) -> EngineError:
    """What the child refused with, made safe for a terminal."""
    params = {name: visible_line(value) for name, value in refusal.params.items()}
    return EngineError(refusal.key, **params)


def died(gone: Gone, model: str) -> EngineError:
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


def not_started(error: Exception, request: Request) -> EngineError:
    """Why there is no process to ask."""
    reason = visible_line((error.strerror if isinstance(error, OSError) else None) or first_line(error))
    return EngineError("engine.not_started", model=visible_line(str(request.address)), reason=reason)


def failed(error: EngineError) -> Failed:
    """The error as the last event of an answer."""
    return Failed(error.kind, str(error))


def raised(error: EngineError) -> QiaoError:
    """The error as the seam's `prompt` raises it."""
    return failed(error).error()
