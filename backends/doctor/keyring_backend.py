"""The system's keyring: which one there is, and whether API keys can be kept in it."""

from ...workbench.visible import visible_line
from ...workbench.words import say
from ..keys.keyring_process import Reply
from ..keys.system_keyring import SystemKeyring, told
from .finding import Finding, State

LIMIT_S = 8.0

_CALM = ("none", "interactive")
"""What is usual, and nobody's fault."""


def look_at_keyring(limit_s: float = LIMIT_S) -> list[Finding]:
    """The keyring, asked for a key that isn't there: a locked one tells so only then."""
    return [judged(SystemKeyring().get(("qiao",), limit_s))]


def judged(reply: Reply) -> Finding:
    """What the keyring is good for, from what came of asking it."""
    title = say("doctor.title_keyring")
    trouble = told(reply)
    if trouble is None:
        return Finding("keyring", title, "ok", visible_line(reply.backend), values={"backend": reply.backend})
    state: State = "absent" if reply.trouble in _CALM else "warn"
    values = {"backend": reply.backend, "trouble": reply.trouble}
    return Finding("keyring", title, state, trouble, say("doctor.keyring_else"), {**values})
