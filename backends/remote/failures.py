"""What a server or the way to it says when it fails, in the person's language and with what to do next."""

import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

from ...workbench.errors import QiaoError
from ...workbench.seam import REFUSALS, Failed, FailureKind
from ...workbench.visible import visible_line, without_surrogates
from ...workbench.words import say
from .complaint import Complaint, kind_of, read

if TYPE_CHECKING:
    from ..providers import Provider
    from .server import Endpoint

MOST_QUOTED = 300
"""Characters of a server's own words."""


class Refusal(QiaoError):
    """A request that can't be answered.

    Args:
        key: the entry of the word catalogue that says it.
        kind: the failure that it is.
        **params: what the entry's placeholders stand for.
    """

    def __init__(self, key: str, kind: FailureKind, **params: object) -> None:
        super().__init__(key, **params)
        self.kind: FailureKind = kind
        self.exit_code = 3 if kind in REFUSALS else 4

    def with_more(self, more: str) -> "Refusal":
        """The same, with a further sentence."""
        return Refusal("remote.with_more", self.kind, message=str(self), more=more)

    def failed(self) -> Failed:
        """The same as an event."""
        return Failed(self.kind, str(self))


class Trouble(Exception):
    """A try that failed.

    Args:
        refusal: as the person is told.
        again: another try may succeed.
        wait: seconds until then, as the server wants it.
        complaint: what the server said.
    """

    def __init__(
        self, refusal: Refusal, *, again: bool = False, wait: float | None = None, complaint: Complaint | None = None
    ) -> None:
        super().__init__(refusal.key)
        self.refusal = refusal
        self.again = again
        self.wait = wait
        self.complaint = complaint


class About(NamedTuple):
    """Whom a request was for."""

    endpoint: "Endpoint"
    model: str
    """Its address; of a list of models, the provider's name."""


_SAYINGS: dict[FailureKind, str] = {
    "unknown_model": "remote.unknown_model",
    "invalid_request": "remote.invalid_request",
    "context_too_long": "remote.context_too_long",
    "out_of_memory": "remote.out_of_memory",
    "key_refused": "remote.key_refused",
    "no_key": "remote.no_key_accepted",
    "no_credit": "remote.no_credit",
    "content_refused": "remote.content_refused",
    "rate_limited": "remote.rate_limited",
    "server_error": "remote.server_error",
    "bad_reply": "remote.wrong_path",
}


def of_reply(about: About, status: int, body: bytes, wait: float | None = None) -> Trouble:
    """A reply with an HTTP status of 400 or more."""
    return of_complaint(about, read(body, status), wait)


def of_complaint(about: About, complaint: Complaint, wait: float | None = None) -> Trouble:
    """What a server says is wrong, in a reply or in the middle of an answer."""
    endpoint = about.endpoint
    provider = endpoint.provider
    kind = kind_of(complaint, provider.failures)
    if kind == "key_refused" and endpoint.key is None:
        kind = "no_key"
    refusal = Refusal(
        _SAYINGS[kind],
        kind,
        model=visible_line(about.model),
        provider=visible_line(provider.name),
        title=provider.shown,
        host=endpoint.host,
        said=quoted(endpoint.without_key(complaint.said)) or say("remote.nothing_said", status=complaint.status),
        where=say(f"remote.key_{endpoint.key.source}") if endpoint.key else "",
        how=how_to_set_key(provider),
    )
    return Trouble(refusal, again=kind in ("rate_limited", "server_error"), wait=wait, complaint=complaint)


def how_to_set_key(provider: "Provider") -> str:
    """What a person does to give a key."""
    name = visible_line(provider.name)
    if provider.key_env:
        return say("remote.set_variable", variable=visible_line(provider.key_env[0]), provider=name)
    return say("remote.keep_key", provider=name)


def of_exception(about: About, error: BaseException, *, arrived: bool) -> Trouble:
    """What the HTTP library raised.

    Args:
        arrived: whether the reply had begun.
    """
    host = about.endpoint.host
    causes = list(_causes(error))
    names = {type(cause).__name__ for cause in causes}
    reason = quoted(about.endpoint.without_key(_reason(causes)))
    if arrived:
        return Trouble(Refusal("remote.cut_off", "cut_off", host=host), again=True)
    if any(isinstance(cause, UnicodeError) for cause in causes):
        return Trouble(Refusal("remote.key_not_ascii", "key_refused", provider=about.endpoint.provider.name))
    if names & {"ProxyError"}:
        return Trouble(Refusal("remote.proxy_failed", "unreachable", host=host, reason=reason))
    if names & {"ConnectTimeout", "PoolTimeout"}:
        return Trouble(Refusal("remote.no_connection", "unreachable", host=host))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Trouble(Refusal("remote.unknown_host", "unreachable", host=host))
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Trouble(Refusal("remote.not_secure", "unreachable", host=host, reason=reason))
    if names & {"ConnectError"}:
        refused = any(isinstance(cause, ConnectionRefusedError) for cause in causes)
        url = visible_line(about.endpoint.base_url)
        if refused or about.endpoint.provider.is_near:
            return Trouble(Refusal("remote.nobody_there", "unreachable", url=url))
        return Trouble(Refusal("remote.unreachable", "unreachable", url=url, reason=reason))
    # The connection was made, and ended without a reply: as when a server restarts.
    return Trouble(Refusal("remote.hung_up", "cut_off", host=host), again=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that led to it, those of a group included."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__]
        if isinstance(cause, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", cause).exceptions


def _reason(causes: list[BaseException]) -> str:
    """What the innermost exception says that says anything."""
    said = [str(cause).strip() for cause in causes]
    return next((text for text in reversed(said) if text), type(causes[0]).__name__)


def quoted(text: str) -> str:
    """A server's own words on one line, made safe to show and cut to MOST_QUOTED characters, without a full stop."""
    line = visible_line(without_surrogates(" ".join(text.split())))
    line = line if len(line) <= MOST_QUOTED else line[: MOST_QUOTED - 1] + "…"
    return line.rstrip(".。 ")
