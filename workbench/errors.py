"""One root error; what a person reads comes from the word catalogue, so that it can be said in their language."""

from .words import say


class QiaoError(Exception):
    """Something that the person can act on: what happened, to which file or model, and what to do next.

    Args:
        key: the entry of the word catalogue that says it, as `area.entry`.
        **params: what the entry's placeholders stand for.
    """

    exit_code = 2
    """What the command exits with when it ends on this error."""

    def __init__(self, key: str, **params: object) -> None:
        super().__init__(key)
        self.key = key
        self.params = params

    def __str__(self) -> str:
        return say(self.key, **self.params)


class Unreadable(QiaoError):
    """A file, an argument or a document that can't be used as it stands."""


class Refused(QiaoError):
    """The model's side said no before an answer began: unknown model, missing extra, key, context too long."""

    exit_code = 3


class BrokenOff(QiaoError):
    """The model's side failed while it worked."""

    exit_code = 4
