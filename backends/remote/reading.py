"""A reply as it is read: a stream of events, mostly; an answer in one piece, an error, a page or nothing otherwise."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ...workbench.seam import Text, Thinking
from .chunks import ChunkReader
from .complaint import of_event, read
from .failures import About, Refusal, Trouble, of_complaint, quoted
from .sse import DONE, EventDecoder, decoded

AFTER_FINISH_SECONDS = 5.0
"""So long the token counts may come after the end of the answer."""
AFTER_DONE_SECONDS = 0.2
"""So long the server may take to end the reply: then the connection can be used again."""
MOST_UNREAD = 1_000_000
"""Bytes kept of a reply that isn't a stream."""


class Reading:
    """Reads one reply.

    Args:
        reader: takes its chunks apart.
        about: whom the request was for.
        take_pieces: takes what each chunk adds.
    """

    def __init__(self, reader: ChunkReader, about: About, take_pieces: Callable[[list[Text | Thinking]], None]) -> None:
        self._reader = reader
        self._about = about
        self._take_pieces = take_pieces

    async def read(self, reply: Any) -> None:
        """Reads the reply to its end, or to where the answer is whole.

        Args:
            reply: gives its bytes by `iter_bytes`.

        Raises:
            Trouble: it isn't an answer, or no whole one.
            Complained: it is an error, or one comes in the middle.
        """
        loop = asyncio.get_running_loop()
        decoder = EventDecoder()
        unread: bytes | None = b""
        done = lingering = False
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as limit:
                async for block in reply.iter_bytes():
                    for data in decoder.feed(block):
                        unread = None
                        done = done or data.startswith(DONE)
                        if not done:
                            self._take(data)
                    if unread is not None and len(unread) < MOST_UNREAD:
                        unread += block
                    if done:
                        limit.reschedule(loop.time() + AFTER_DONE_SECONDS)
                    elif self._reader.finish is not None and not lingering:
                        lingering = True
                        limit.reschedule(loop.time() + AFTER_FINISH_SECONDS)
        for data in decoder.flush():
            unread = None
            done = done or data.startswith(DONE)
            if not done:
                self._take(data)
        if unread is not None:
            self._take_whole(unread)
        elif not (done or self._reader.finish or self._reader.usage_came):
            raise Trouble(Refusal("remote.cut_short", "cut_off", host=self._about.endpoint.host), again=True)

    def _take(self, data: bytes) -> None:
        """One event of the stream."""
        try:
            chunk = decoded(data)
        except ValueError:
            said = quoted(data.decode("utf-8", "replace"))
            raise Trouble(Refusal("remote.not_json", "bad_reply", host=self._about.endpoint.host, said=said)) from None
        self._take_pieces(self._reader.feed(chunk))

    def _take_whole(self, data: bytes) -> None:
        """A reply that held no event: an answer in one piece, an error, a page, or nothing."""
        host = self._about.endpoint.host
        if not data.strip():
            raise Trouble(Refusal("remote.empty_reply", "bad_reply", host=host), again=True)
        try:
            value: Any = decoded(data)
        except ValueError:
            said = quoted(read(data, 200).said) or quoted(data[:200].decode("utf-8", "replace"))
            raise Trouble(Refusal("remote.no_stream", "bad_reply", host=host, said=said)) from None
        if isinstance(value, dict) and "choices" in value:
            self._take_pieces(self._reader.feed(value))
            self._reader.finish = self._reader.finish or "stop"
        else:
            raise of_complaint(self._about, of_event(value))
