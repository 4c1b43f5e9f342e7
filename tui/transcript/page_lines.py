"""The conversation as one text, as lines: no headings, what models wrote told apart by its colour and by a bar."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...workbench.answering import Answer
from ...workbench.conversation import Message
from ...workbench.variables import runs as variable_runs
from ...workbench.visible import visible, visible_line
from ...workbench.words import say
from ..text.glyphs import glyphs
from ..text.wrap import Line, Run, break_offsets, divide, truncate_line, wrap, wrap_paragraph, wrap_text
from .blocks import Item, below_editor, live_status, provenance_runs, take_mark, wrap_figures
from .failing import failure_lines

CHOSEN = "chosen"
"""The ink of what is selected, beside its own."""


class Part(NamedTuple):
    """Some messages that begin a line of the one text, and end one."""

    messages: tuple[Message, ...]
    selected: int | None = None
    """The uid of the selected message, if it is one of them."""
    coming: int | None = None
    """The uid of the message that `Item.live` is for."""
    heading: str | None = None
    """What stands above the whole text, on its first part."""
    foot: Message | None = None
    """On the last part: the message whose take is told of below the text."""
    stale: bool = False
    """What that take answered has changed since."""
    blank_below: bool = True
    """A blank line follows that no message has in its text; else the next part is on the line that this one begins."""


class _Stretch(NamedTuple):
    """A piece of one logical line, and whose it is."""

    run: Run
    message: Message


def page_lines(item: Item, width: int, variables: Mapping[str, str]) -> list[Line]:
    """The part's lines, at most `width` cells each; the first run of each is its bar."""
    part = item.page
    assert part is not None
    body: list[Line] = []
    if part.heading is not None:
        ink = "accent" if item.editing else "faint"
        body.append(_barred(truncate_line((Run(part.heading, ink),), width), item.editing))
    if item.editing:
        hint = below_editor(say("page.editing_hint"), item.size, width)
        return [*body, *(_barred(line, item.editing) for line in [*[()] * item.editing, hint])]
    for stretches in _logical_lines(part, item.live, variables):
        body += _wrapped(stretches, width, part.selected)
    return [*body, *((_FOOT_BAR, *line) for line in _foot(part, item.live, width))]


def marked(lines: Sequence[Line]) -> tuple[int, int] | None:
    """The first and the last line that the selected message stands in, the foot right below it included."""
    found = [number for number, line in enumerate(lines) if line[0].text == glyphs.selected]
    if not found:
        return None
    is_last = all(line[0] == _FOOT_BAR for line in lines[found[-1] + 1 :])
    return found[0], len(lines) - 1 if is_last else found[-1]


_FOOT_BAR = Run(" ", "muted")
"""Of the lines below the text."""


def _barred(line: Line, editing: int) -> Line:
    return (Run(glyphs.bar, "accent") if editing else Run(" "), *line)


def _logical_lines(part: Part, live: Answer | None, variables: Mapping[str, str]) -> list[list[_Stretch]]:
    """The text line feed by line feed, each in stretches of one message and one ink."""
    lines: list[list[_Stretch]] = [[]]
    for message in part.messages:
        if message.uid == part.coming and live is not None:
            pieces = [(live.text, "assistant")]
        elif message.take is not None:
            pieces = [(message.take.text, "assistant")]
        else:
            pieces = [
                (text, "text" if name is None else "variable" if known else "unset")
                for text, name, known in variable_runs(message.text, variables)
            ]
        for text, ink in pieces:
            ink = f"{ink} {CHOSEN}" if message.uid == part.selected else ink
            first, *others = visible(text).split("\n")
            lines[-1].append(_Stretch(Run(first, ink), message))
            lines += [[_Stretch(Run(other, ink), message)] for other in others]
    return lines if part.blank_below else lines[:-1]


def _wrapped(stretches: Sequence[_Stretch], width: int, selected: int | None) -> list[Line]:
    if len(stretches) == 1:
        ((run, message),) = stretches
        bar = _bar([message], selected, [run.ink])
        return [(bar, *line) for line in wrap_paragraph(run.text, width, run.ink)]
    runs = [run for run, _ in stretches]
    cuts = break_offsets("".join(run.text for run in runs), width)
    lines: list[Line] = []
    for line, start, end in zip(divide(runs, cuts), [0, *cuts], [*cuts, None], strict=True):
        at, inside = 0, list[_Stretch]()
        for stretch in stretches:
            begins, at = at, at + len(stretch.run.text)
            if begins < at and at > start and (end is None or begins < end):
                inside.append(stretch)
        bar = _bar([each.message for each in inside], selected, [each.run.ink for each in inside])
        lines.append((bar, *line))
    return lines


def _bar(messages: Sequence[Message], selected: int | None, inks: Sequence[str]) -> Run:
    """A line's bar: whether the selected message stands in it, else whether a model wrote any of it."""
    chosen = next((message for message in messages if message.uid == selected), None)
    if chosen is not None:
        return Run(glyphs.selected, chosen.role)
    return Run(glyphs.bar, "assistant") if any("assistant" in ink for ink in inks) else Run(" ")


def _foot(part: Part, live: Answer | None, width: int) -> list[Line]:
    """Below the text: what is coming, else where the selected take comes from."""
    message = part.foot
    if message is None:
        return []
    coming = live is not None and message.uid == part.coming
    mark = take_mark(message, coming=coming)
    if not mark:
        return []
    runs = [Run(f"{mark}  ", "assistant")]
    if coming and live is not None:
        return [(), *wrap([*runs, *live_status(live)], width)]
    if part.stale:
        runs.append(Run(f"{say('screen.stale')}  ", "warn"))
    take = message.take
    if take is None:
        return [(), *wrap([*runs, Run(say("page.by_hand"), "faint")], width)]
    lines: list[Line] = [()]
    if take.error is not None:
        lines += failure_lines(take.error, width)
    elif not take.text:
        lines.append((Run(say("screen.no_text"), "faint em"),))
    notes = [note for note in (take.note, message.note) if note]
    lines += [line for note in notes for line in wrap_text(visible_line(note), width, "muted em")]
    return [*lines, *wrap_figures([*runs, *provenance_runs(take)], width)]
