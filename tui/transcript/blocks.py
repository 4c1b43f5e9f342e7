"""A message as the lines of a block: a bar in the role's colour, a heading, the text, a line of provenance."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from ...workbench.answering import Answer
from ...workbench.conversation import Message, Take
from ...workbench.sampling import Sampling
from ...workbench.seam import Progress
from ...workbench.variables import runs as variable_runs
from ...workbench.visible import visible, visible_line
from ...workbench.words import say
from .. import markdown
from ..glyphs import glyphs
from ..wrap import Line, Run, truncate_line, wrap, wrap_paragraph, wrap_text
from .failing import advice, failure_lines, thought_only
from .parts import LONG_ANSWER, Part

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


def lines(item: Item, width: int, variables: Mapping[str, str], part: Part | None = None) -> list[Line]:
    """The block's lines, or those of a part of it, without the bar, at most `width` cells each."""
    body: list[Line]
    if item.editing:
        hint = say("screen.editing_hint")
        body = [*[()] * item.editing, truncate_line((Run(hint, "faint"),), width)]
    elif item.live is not None:
        body = [*_live_lines(item.live, width, item.unfolded)]
    else:
        body = _still_lines(item, width, variables, part)
    return body if part and part.begin else [truncate_line(_heading(item), width), *body]


def _heading(item: Item) -> Line:
    message = item.message
    runs = [Run(say(f"screen.role_{message.role}"), f"{message.role} strong")]
    if item.live is not None:
        count = len(message.takes) + 1
        runs.append(Run(f" {glyphs.take_left}{count}/{count}{glyphs.take_right}", message.role))
    elif message.takes:
        place = glyphs.by_hand if message.chosen is None else str(message.chosen)
        runs.append(Run(f" {glyphs.take_left}{place}/{len(message.takes)}{glyphs.take_right}", message.role))
    marks = [
        (item.marked, "screen.marked", "accent"),
        (bool(item.editing), "screen.editing", "accent"),
        (message.muted, "screen.muted", "muted"),
        (item.stale and item.live is None, "screen.stale", "warn"),
    ]
    runs += [Run(f"  {say(key)}", ink) for holds, key, ink in marks if holds]
    if message.note:
        runs.append(Run(f"  {visible_line(message.note)}", "muted em"))
    return tuple(runs)


def _still_lines(item: Item, width: int, variables: Mapping[str, str], part: Part | None) -> list[Line]:
    message, take = item.message, item.message.take
    shown = slice(None) if part is None else slice(part.begin, part.end)
    ink = "muted" if message.muted else "text"
    if take is None:
        if not message.said:
            return [(Run(say("screen.empty_message"), "faint em"),)]
        return _written(message.said[shown], width, variables, ink)
    body: list[Line] = []
    if take.thinking and not shown.start:
        body += _thinking(take.thinking, _thought(take), item.unfolded, width)
    if take.text:
        text = visible(take.text[shown])
        is_plain = part is not None or len(text) >= LONG_ANSWER
        body += wrap_text(text, width) if is_plain else markdown.render(text, width)
    elif (words := thought_only(take)) is not None:
        body += wrap_text(words, width, "warn")
    elif take.error is None:
        body.append((Run(say("screen.no_text"), "faint em"),))
    if part is not None and not part.is_last:
        return body
    if take.error is not None:
        body += failure_lines(take.error, width)
    if take.note:
        body += wrap_text(visible(take.note), width, "muted em")
    return [*body, *provenance(take, width)]


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


def _live_lines(answer: Answer, width: int, unfolded: bool) -> list[Line]:
    """The answer as far as it is here, as plain text; Markdown is laid out once it is complete."""
    body: list[Line] = []
    if answer.thinking:
        open_now = unfolded or not answer.text
        body += _thinking(answer.thinking, say("screen.thinking", tokens=answer.tokens), open_now, width)
    if answer.text:
        body += wrap_text(visible(answer.text), width)
    status = [Run(_progress(answer), "faint")]
    if answer.progress is None and (seconds := answer.silence) >= SILENT_SECONDS:
        status.append(Run(f" · {say('failing.silent', seconds=f'{seconds:.0f}')}", "warn"))
    name = short_model(visible_line(str(answer.request.address)))
    hint = Run(f"   {say('screen.stop_hint')}", "faint")
    return [*body, *wrap((Run(f"{name} · ", "faint"), *status, hint), width)]


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
    """One faint line: model, sampling, tokens, speed, time to first token, finish; what stands out is in words."""
    usage, timing = take.usage, take.timing
    parts = [short_model(visible_line(take.model))] if take.model else []
    parts += _sampling_words(take.sampling) if take.sampling else []
    if usage and usage.completion_tokens is not None:
        parts.append(say("screen.tokens", n=usage.completion_tokens))
    if timing and timing.tokens_per_second is not None:
        parts.append(f"{timing.tokens_per_second:.0f}/s")
    if timing and timing.first_token_ms is not None:
        parts.append(say("screen.first_token", seconds=f"{timing.first_token_ms / 1000:.2f}"))
    runs = [Run(" · ".join(parts), "faint")]
    if take.left_out:
        runs += [Run(" · " if parts else "", "faint"), Run(say("seen.left_out_of_take", n=take.left_out), "warn")]
    if take.finish is not None:
        stands_out = take.finish != "stop"
        words = say(f"screen.finish_{take.finish}")
        runs += [Run(" · " if parts else "", "faint"), Run(words, "warn" if stands_out else "faint")]
    if pressed := advice(take):
        runs.append(Run(f"   {pressed}", "muted"))
    return wrap(runs, width) if any(run.text for run in runs) else []


NEUTRAL = Sampling(
    top_p=1.0, top_k=0, min_p=0.0, repetition_penalty=1.0, presence_penalty=0.0, frequency_penalty=0.0, thinking=None
)
"""What changes nothing, and so isn't worth a word in a line of provenance."""

_SHORT = {"temperature": "t", "repetition_penalty": "rep", "presence_penalty": "pres", "frequency_penalty": "freq"}
_QUIET = frozenset({"seed", "max_tokens", "stop", "n", "logprobs", "extra"})


def _sampling_words(sampling: Sampling) -> list[str]:
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
