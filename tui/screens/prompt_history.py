"""The prompts that an answer was given, two side by side with what they brought; an old one can be brought back."""

from collections.abc import Sequence

from textual.binding import Binding

from ...workbench.versions import Version
from ...workbench.visible import visible
from ...workbench.words import say
from ..look.inks import Inks
from ..text.when import when
from ..text.wrap import Line, Run, truncate_line
from ..transcript.blocks import provenance
from .sides import Row, SideBySide, beside, zipped


class PromptHistory(SideBySide[Version]):
    """Shows two prompts of a history, each with the last take that answered it below; the result is to be brought back.

    Args:
        history: two at least, the prompt of now last.
        inks: of the theme.
    """

    BINDINGS = [Binding("b,enter", "bring_back", show=False, priority=True)]

    def __init__(self, history: Sequence[Version], inks: Inks) -> None:
        super().__init__(inks, "versions.keys", len(history), (len(history) - 2, len(history) - 1))
        self._history = history

    def lay_out(self, column: int) -> tuple[Row, list[Row]]:
        left, right = (self._history[side] for side in self.sides)
        answers = [visible(version.takes[-1].text) if version.takes else "" for version in (left, right)]
        below = [provenance(version.takes[-1], column) if version.takes else [] for version in (left, right)]
        rule: list[Line] = [(Run(say("versions.answer", n=len(v.takes)), "assistant strong"),) for v in (left, right)]
        rows = [
            *beside(written_out(left), written_out(right), column),
            ((), ()),
            (rule[0], rule[1]),
            *beside(answers[0], answers[1], column),
            *zipped(below[0], below[1]),
        ]
        return (self._head(self.sides[0], column), self._head(self.sides[1], column)), rows

    def _head(self, number: int, column: int) -> Line:
        version = self._history[number]
        words = say("versions.now") if version.is_current else ""
        if version.last is not None:
            moment = when(version.last.timestamp())
            words = f"{words} · {moment}" if words else moment
        place = Run(f"{number + 1}/{len(self._history)} ", "user strong")
        return truncate_line((place, Run(words or say("versions.unanswered"), "strong")), column)

    def action_bring_back(self) -> None:
        left = self._history[self.sides[0]]
        if not left.is_current and left.prompt is not None:
            self.dismiss(left)


def written_out(version: Version) -> str:
    """A prompt as one text: each message under its role."""
    if version.prompt is None:
        return say("versions.unknown")
    parts = [f"[{say(f'screen.role_{said.role}')}]\n{visible(said.text)}" for said in version.prompt.messages]
    values = [f"{name} = {visible(value)}" for name, value in version.prompt.variables.items()]
    return "\n\n".join([*parts, *(["\n".join(values)] if values else [])])
