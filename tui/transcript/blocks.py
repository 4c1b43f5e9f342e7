"""A message as the lines of a block: a bar in the role's colour, a heading, the text, a line of provenance."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import msgspec

from ...workbench.answering import Answer
from ...workbench.conversation import Message, Take
from ...workbench.sampling import Sampling
from ...workbench.seam import Progress
from ...workbench.variables import runs as variable_runs
from ...workbench.visible import visible, visible_line
from ...workbench.words import say
from ..text import markdown
from ..text.glyphs import glyphs
from ..text.live_markdown import LiveMarkdown
from ..text.wrap import Line, Run, line_width, truncate_line, wrap, wrap_paragraph, wrap_text
from .failing import advice, failure_lines, thought_only
from .parts import LONG_ANSWER, Part, is_in_parts

if TYPE_CHECKING:
    from .page_lines import Part as PagePart

LONG = 12
"""Lines; a text that takes more of them can be folded."""
KEPT = 4
"""Lines of a folded text that stay in sight."""
PEEK = 10_000
"""Characters; of a folded text that has more, the lines aren't counted."""

_LAID: WeakKeyDictionary[Answer, LiveMarkdown] = WeakKeyDictionary()
"""The answers that are coming, as far as they are laid out."""

NO_BREAK = "\N{NO-BREAK SPACE}"

SILENT_SECONDS = 5
"""After so long without anything new, a streaming answer says so."""


class Item(NamedTuple):
    """A message as it is to be shown."""

    message: Message
    live: Answer | None = None
    """The answer that is coming for it now."""
    stale: bool = False
    """What its chosen take answered has changed since."""
    unfolded: bool = False
    """Its thinking is open."""
    marked: bool = False
    editing: int = 0
    """So many lines are kept free for the editor; 0: it isn't being edited."""
    folded: bool = False
    """Of its text, only the beginning is shown, if it is a long one; of an answer that is coming, no thinking."""
    left_out: bool = False
    """It doesn't fit into the model's context, and isn't sent."""
    size: Line = ()
    """How many tokens it has while it is being edited, in words."""
    page: "PagePart | None" = None
    """What it shows of the conversation as one text; None: it is a message with a heading of its own."""


def lines(item: Item, width: int, variables: Mapping[str, str], part: Part | None = None) -> list[Line]:
    """The block's lines, or those of a part of it, without the bar, at most `width` cells each."""
    body: list[Line]
    if item.editing:
        body = [*[()] * item.editing, below_editor(say("screen.editing_hint"), item.size, width)]
    elif item.live is not None:
        body = [*_live_lines(item.live, width, item.unfolded, item.folded)]
    else:
        body = _still_lines(item, width, variables, part)
        if item.left_out:
            body = [tuple(Run(run.text, f"{run.ink} muted") for run in line) for line in body]
    return body if part and part.begin else [truncate_line(_heading(item), width), *body]


def is_long(message: Message, width: int, variables: Mapping[str, str]) -> bool:
    """Whether its text can be folded, shown at this width."""
    return is_in_parts(message) or len(_said_lines(message, width, variables, slice(None))) > LONG


def below_editor(keys: str, size: Line, width: int) -> Line:
    """The keys at the left, the size at the right; where both don't fit, the size, since the last line has the keys."""
    hint = Run(keys, "faint")
    gap = width - line_width((hint,)) - line_width(size)
    if not size or gap >= 2:
        return truncate_line((hint, Run(" " * max(gap, 0)), *size) if size else (hint,), width)
    return truncate_line((Run(" " * max(width - line_width(size), 0)), *size), width)


def _heading(item: Item) -> Line:
    message = item.message
    runs = [Run(say(f"screen.role_{message.role}"), f"{message.role} strong")]
    if mark := take_mark(message, coming=item.live is not None):
        runs.append(Run(f" {mark}", message.role))
    if item.live is None and message.take is not None and message.take.starred:
        runs.append(Run(f" {glyphs.star}", "accent"))
    marks = [
        (item.marked, "screen.marked", "accent"),
        (bool(item.editing), "screen.editing", "accent"),
        (message.muted, "screen.muted", "muted"),
        (item.left_out and not message.muted, "screen.left_out", "muted"),
        (item.stale and item.live is None, "screen.stale", "warn"),
    ]
    runs += [Run(f"  {say(key)}", ink) for holds, key, ink in marks if holds]
    if message.note:
        runs.append(Run(f"  {say('screen.noted', note=visible_line(message.note))}", "muted em"))
    return tuple(runs)


def take_mark(message: Message, *, coming: bool = False) -> str:
    """Which of its takes is shown, of how many; empty where there are none. `coming`: it is one more."""
    if not message.takes and not coming:
        return ""
    count = len(message.takes) + coming
    place = count if coming else message.chosen or glyphs.by_hand
    return f"{glyphs.take_left}{place}/{count}{glyphs.take_right}"


def _still_lines(item: Item, width: int, variables: Mapping[str, str], part: Part | None) -> list[Line]:
    message, take = item.message, item.message.take
    shown = slice(None) if part is None else slice(part.begin, part.end)
    if item.folded and part is None and is_in_parts(message):
        # Of so long a text only the beginning is laid out.
        shown = slice(PEEK)
    said = _said_lines(message, width, variables, shown)
    if item.folded and part is None and (len(said) > LONG or is_in_parts(message)):
        said = _beginning(said, width, len(message.said))
    if take is None:
        return said or [(Run(say("screen.empty_message"), "faint em"),)]
    body: list[Line] = []
    if take.thinking and not shown.start:
        body += _thinking(take.thinking, _thought(take), item.unfolded, width)
    if take.text:
        body += said
    elif (words := thought_only(take)) is not None:
        body += wrap_text(words, width, "warn")
    elif take.error is None:
        body.append((Run(say("screen.no_text"), "faint em"),))
    if part is not None and not part.is_last:
        return body
    if take.error is not None:
        body += failure_lines(take.error, width)
    if take.note:
        body += wrap_text(say("screen.noted", note=visible(take.note)), width, "muted em")
    return [*body, *provenance(take, width)]


def _said_lines(message: Message, width: int, variables: Mapping[str, str], shown: slice) -> list[Line]:
    """What it says, or a piece of that; nothing if that is nothing."""
    if not message.said:
        return []
    if message.take is None:
        return _written(message.said[shown], width, variables, "muted" if message.muted else "text")
    is_whole = shown == slice(None)
    text = visible(message.take.text[shown])
    return markdown.render(text, width) if is_whole and len(text) < LONG_ANSWER else wrap_text(text, width)


def _beginning(said: list[Line], width: int, characters: int) -> list[Line]:
    """The first lines, and how much more there is of a text of so many characters."""
    kept = said[:KEPT]
    while kept and not any(run.text.strip() for run in kept[-1]):
        kept.pop()
    if characters < PEEK:
        words = say("screen.more_lines", n=len(said) - len(kept))
    else:
        words = say("screen.more_text", n=f"{characters:,}")
    return [*kept, truncate_line((Run(f"{glyphs.folded} {words}", "faint"),), width)]


def _written(text: str, width: int, variables: Mapping[str, str], ink: str) -> list[Line]:
    """Text by hand, as it is, with variables filled in and shown as such."""
    logical: list[list[Run]] = [[]]
    for piece, variable, known in variable_runs(text, variables):
        run_ink = ink if variable is None else "variable" if known else "unset"
        first, *others = visible(piece).split("\n")
        logical[-1].append(Run(first, run_ink))
        logical += [[Run(part, run_ink)] for part in others]
    return [
        line
        for runs in logical
        for line in (wrap_paragraph(runs[0].text, width, runs[0].ink) if len(runs) == 1 else wrap(runs, width))
    ]


def _thinking(text: str, summary: str, unfolded: bool, width: int) -> list[Line]:
    glyph = glyphs.unfolded if unfolded else glyphs.folded
    heading = truncate_line((Run(f"{glyph} {summary}", "faint"),), width)
    return [heading, *wrap_text(visible(text.strip()), width, "muted"), ()] if unfolded else [heading]


def _thought(take: Take) -> str:
    tokens = take.usage.thinking_tokens if take.usage else None
    timing = take.timing
    if tokens is None or timing is None or timing.first_token_ms is None:
        return say("screen.thought")
    end = timing.first_answer_ms or timing.total_ms or timing.first_token_ms
    return say("screen.thought_for", tokens=tokens, seconds=f"{(end - timing.first_token_ms) / 1000:.1f}")


def _live_lines(answer: Answer, width: int, unfolded: bool, folded: bool) -> list[Line]:
    """The answer as far as it is here, laid out as it will stand. Its thinking is open till the text comes, unless
    `folded`, and from then on if `unfolded`."""
    body: list[Line] = []
    if answer.thinking:
        open_now = unfolded if answer.text else not folded
        body += _thinking(answer.thinking, say("screen.thinking", tokens=answer.tokens), open_now, width)
    if answer.text:
        text = visible(answer.text)
        laid = _LAID.setdefault(answer, LiveMarkdown())
        body += laid.lines(text, width) if len(text) < LONG_ANSWER else wrap_text(text, width)
    return [*body, *wrap(live_status(answer), width)]


def live_status(answer: Answer) -> list[Run]:
    """Which model it comes from, how far it is, and how to stop it."""
    status = [Run(_progress(answer), "faint")]
    if answer.progress is None and (seconds := answer.silence) >= SILENT_SECONDS:
        status.append(Run(f" · {say('failing.silent', seconds=f'{seconds:.0f}')}", "warn"))
    name = short_model(visible_line(str(answer.request.address)))
    hint = Run(f"   {say('screen.stop_hint')}", "faint")
    return [Run(f"{name} · ", "faint"), *status, hint]


def _progress(answer: Answer) -> str:
    progress = answer.progress
    if progress is None:
        rate = answer.tokens_per_second
        speed = "" if rate is None else f" · {rate:.0f}/s"
        return say("screen.tokens", n=answer.tokens) + speed
    counts_down = progress.stage == "retrying" and progress.total > 0
    seconds = f" · {answer.elapsed:.0f} s" if answer.elapsed >= 2 and not counts_down else ""
    if progress.stage == "prefill" and progress.done >= progress.total > 0:
        return say("screen.waiting")
    return progress_words(progress) + seconds


def progress_words(progress: Progress) -> str:
    """What is being done before the first token, and a bar of how far it is, where that is known."""
    note = f" · {visible_line(progress.note)}" if progress.note else ""
    if progress.stage == "retrying" and progress.total > 0:
        return say("failing.retrying_in", seconds=max(progress.total - progress.done, 0)) + note
    what = say(f"screen.stage_{progress.stage}") + note
    if progress.total <= 0:
        return what
    done = min(progress.done / progress.total, 1)
    filled = round(done * 12)
    return f"{what} {glyphs.full * filled}{glyphs.rule * (12 - filled)} {done:4.0%}"


def provenance(take: Take, width: int) -> list[Line]:
    """One faint line of it."""
    runs = provenance_runs(take)
    return wrap_figures(runs, width) if any(run.text for run in runs) else []


def wrap_figures(runs: Sequence[Run], width: int) -> list[Line]:
    """Wrapped so that a figure stays with its unit: between the two stands `NO_BREAK`."""
    return [tuple(Run(text.replace(NO_BREAK, " "), ink) for text, ink in line) for line in wrap(runs, width)]


def provenance_runs(take: Take) -> list[Run]:
    """Model, sampling, tokens, speed, time to first token, finish; what stands out is in words."""
    usage, timing = take.usage, take.timing
    parts = [short_model(visible_line(take.model))] if take.model else []
    parts += sampling_words(take.sampling) if take.sampling else []
    if usage and usage.completion_tokens is not None:
        parts.append(say("screen.tokens", n=usage.completion_tokens))
    if timing and timing.tokens_per_second is not None:
        parts.append(f"{timing.tokens_per_second:.0f}/s")
    if timing and timing.first_token_ms is not None:
        parts.append(say("screen.first_token", seconds=f"{timing.first_token_ms / 1000:.2f}"))
    runs = [Run(" · ".join(part.replace(" ", NO_BREAK) for part in parts), "faint")]
    if take.left_out:
        runs += [Run(" · " if parts else "", "faint"), Run(say("seen.left_out_of_take", n=take.left_out), "warn")]
    if take.finish is not None:
        stands_out = take.finish != "stop"
        words = say(f"screen.finish_{take.finish}")
        runs += [Run(" · " if parts else "", "faint"), Run(words, "warn" if stands_out else "faint")]
    if pressed := advice(take):
        runs.append(Run(f"   {pressed}", "muted"))
    return runs


NEUTRAL = Sampling(
    top_p=1.0, top_k=0, min_p=0.0, repetition_penalty=1.0, presence_penalty=0.0, frequency_penalty=0.0, thinking=None
)
"""What changes nothing, and so isn't worth a word in a line of provenance."""

_SHORT = {"temperature": "t", "repetition_penalty": "rep", "presence_penalty": "pres", "frequency_penalty": "freq"}
_QUIET = frozenset({"seed", "max_tokens", "stop", "n", "logprobs", "extra"})


def sampling_words(sampling: Sampling) -> list[str]:
    """What of a sampling is worth a word: `t 0.7`, `top_p 0.9`, `thinking on`…"""
    greedy = sampling.temperature == 0
    words: list[str] = []
    for name, value in msgspec.structs.asdict(sampling).items():
        beside_the_point = greedy and name in ("top_p", "top_k", "min_p")
        if value is None or name in _QUIET or beside_the_point or value == getattr(NEUTRAL, name, None):
            continue
        if not isinstance(value, int | float):
            continue
        shown = say("screen.on") if value is True else say("screen.off") if value is False else f"{value:g}"
        words.append(f"{_SHORT.get(name, name)} {shown}")
    return words


def short_model(address: str) -> str:
    """The last part of an address's name: `local:Qwen/Qwen3-4B` is Qwen3-4B."""
    name = address.split(":", 1)[-1].rstrip("/")
    return name.rsplit("/", 1)[-1] or address
