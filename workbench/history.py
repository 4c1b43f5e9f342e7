"""The steps that led to a document's present state, and those taken back from it."""

from typing import NamedTuple

from .conversation import Conversation


class Step(NamedTuple):
    """A state to go to, and what was done between here and there."""

    conversation: Conversation
    label: str
    """A word key."""


class History:
    """Undo and redo. Conversations share what didn't change, so that a step costs little memory."""

    def __init__(self) -> None:
        self._back: list[Step] = []
        self._forth: list[Step] = []

    def __bool__(self) -> bool:
        """Whether there is anything to take back."""
        return bool(self._back)

    @property
    def has_undone(self) -> bool:
        return bool(self._forth)

    def made(self, before: Conversation, label: str) -> None:
        """Notes a change that was made to `before`. What was taken back until then can't be made again."""
        self._back.append(Step(before, label))
        self._forth.clear()

    def undo(self, present: Conversation) -> Step | None:
        """The state before the last change; None if there was none."""
        return self._go(self._back, self._forth, present)

    def redo(self, present: Conversation) -> Step | None:
        """The state after the change that was last taken back; None if there is none."""
        return self._go(self._forth, self._back, present)

    @staticmethod
    def _go(steps: list[Step], others: list[Step], present: Conversation) -> Step | None:
        if not steps:
            return None
        step = steps.pop()
        others.append(Step(present, step.label))
        return step
