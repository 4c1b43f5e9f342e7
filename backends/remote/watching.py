"""How far a request is on its way: told by the HTTP library, per task."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

Told = Callable[[str, dict[str, Any]], Awaitable[None]]

SENT = ".send_request_body.complete"
"""What the name of the step ends with after which only the server's answer is missing."""

sending: ContextVar[Told | None] = ContextVar("sending", default=None)
"""Called with each step of the requests that this task sends."""
