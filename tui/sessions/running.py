"""Runs: requests answered in worker threads of our own, so that the screen never waits, not even to quit."""

import threading
from collections.abc import Callable
from itertools import count

from ...backends.registry import Backends
from ...workbench.answering import Answer
from ...workbench.asking import Ask
from ...workbench.errors import QiaoError
from ...workbench.seam import Failed

_numbers = count(1)


class Run:
    """One press of `r`: an answer, or several takes one after the other."""

    def __init__(self, ask: Ask, target: int, after: int | None) -> None:
        self.ask = ask
        self.target = target
        """The uid of the message that gets the takes; it may not stand in the document yet."""
        self.after = after
        """The uid of the message below which a new one is put in; None: at the start."""
        self.stop = threading.Event()
        self.answer = self._answer(0)
        """The answer that is coming now."""
        self.last: Answer | None = None
        """The answer after which no other comes, once that is known."""
        self.number = next(_numbers)

    def _answer(self, number: int) -> Answer:
        return Answer(self.ask.requests[number], self.ask.prompt_hash, self.ask.prefix)

    def work(self, backends: Backends, ended: Callable[["Run", Answer], None]) -> None:
        """Answers all requests; for a worker thread.

        Args:
            backends: what answers.
            ended: called after each answer, in this thread; `last` is set at the last. Others may have ended by the
                time that whoever is told of one gets round to it.
        """
        for number, request in enumerate(self.ask.requests):
            if number:
                self.answer = self._answer(number)
            answer = self.answer
            try:
                for event in backends.generate(request, self.stop):
                    answer.feed(event)
            except QiaoError as error:
                answer.feed(Failed("invalid_request", str(error)))
            except Exception as error:  # noqa: BLE001 - a mistake in a backend must not cost what had arrived
                answer.feed(Failed("engine_died", f"{type(error).__name__}: {error}"))
            if answer.finished is None:
                answer.feed(Failed("engine_died", "the backend ended without a word"))
            if number == len(self.ask.requests) - 1 or answer.finish in ("cancelled", "error"):
                self.last = answer
            ended(self, answer)
            if self.last is not None:
                return

    def start(self, backends: Backends, ended: Callable[["Run", Answer], None]) -> None:
        """Begins, in a thread of its own; a daemon, since a model that is slow to stop must not hold up leaving."""
        threading.Thread(target=self.work, args=(backends, ended), name=f"run-{self.number}", daemon=True).start()
