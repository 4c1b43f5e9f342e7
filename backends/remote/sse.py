"""Server-sent events, as servers really write them."""

import json
from typing import Any

import msgspec

DONE = b"[DONE]"
"""What OpenAI's protocol ends a stream with."""


class EventDecoder:
    """Finds the events in bytes that come in blocks; where they are split makes no difference.

    Comments, such as those that keep a connection alive, and all fields but `data` are passed over. Lines may end with
    LF, CRLF or CR; the blank after `data:` may be missing, and so may the empty line after an event.
    """

    def __init__(self) -> None:
        self._held = b""
        self._data: list[bytes] = []
        self._at_start = True

    def feed(self, block: bytes) -> list[bytes]:
        """The data of the events that are complete by now."""
        held = self._held + block
        if self._at_start and len(held) >= 3:
            held, self._at_start = held.removeprefix(b"\xef\xbb\xbf"), False
        tail = b""
        if b"\r" in held:
            if held.endswith(b"\r"):
                # It may be half of a CRLF.
                held, tail = held[:-1], b"\r"
            held = held.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = held.split(b"\n")
        self._held = rest + tail
        events: list[bytes] = []
        for line in lines:
            if line.startswith(b"data:"):
                if self._data and (self._data[0].startswith(DONE) or _is_json(b"\n".join(self._data))):
                    events.append(b"\n".join(self._data))
                    self._data = []
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif not line and self._data:
                events.append(b"\n".join(self._data))
                self._data = []
        return events

    def flush(self) -> list[bytes]:
        """The stream is over: the last event, if its empty line never came."""
        return self.feed(b"\n\n")


def decoded(data: bytes) -> Any:
    """The JSON value of an event. Lone surrogates survive as such; bytes that are no UTF-8 become U+FFFD.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return json.loads(data.decode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _is_json(data: bytes) -> bool:
    try:
        decoded(data)
    except ValueError:
        return False
    return True
