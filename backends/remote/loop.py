"""One asyncio loop in a thread: what runs in it can be cancelled at once, whatever it waits for.

A blocking client wakes only at the next byte or at its timeout; a cancelled task of a loop wakes in milliseconds.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """The result of a blocking call, or what it raises. Once cancelled, nobody waits for it, not even at the exit.

    The loop's own executor has threads that Python joins when it ends: a name server that doesn't answer, or a
    keyring that hangs, would hold up leaving the program.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is None:
            result.set_result(value)  # pyright: ignore[reportArgumentType] - None only if T is
        else:
            result.set_exception(error)

    def run() -> None:
        value, error = None, None
        try:
            value = work()
        except Exception as raised:  # noqa: BLE001 - it is raised again where the result is awaited
            error = raised
        # Closed meanwhile: nobody waits any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, value, error)

    threading.Thread(target=run, name="remote call", daemon=True).start()
    return await result


class _Loop(asyncio.SelectorEventLoop):
    """Looks names up in threads that nobody has to wait for."""

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        return await in_thread(lambda: socket.getaddrinfo(host, port, family, type, proto, flags))


class LoopThread:
    """The loop, started when something is first submitted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> "Future[T]":
        """Runs the coroutine; cancelling what is returned cancels it, from any thread."""
        with self._lock:
            if self._loop is None:
                self._loop = _Loop()
                threading.Thread(target=_run, args=(self._loop,), name="remote loop", daemon=True).start()
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Cancels all that runs, does one thing more, and ends the thread, soon.

        Args:
            last: gives back what belongs to the loop, as open connections.
        """
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(_wind_up(loop, last), loop)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _wind_up(loop: asyncio.AbstractEventLoop, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
    others = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
    for task in others:
        task.cancel()
    try:
        if others:
            await asyncio.wait(others, timeout=1)
        await asyncio.wait_for(last(), 1)
    finally:
        loop.stop()
