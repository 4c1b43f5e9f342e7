"""From a request to the exact prompt: its text, and its tokens."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from ...workbench.seam import Mode, Piece, Prompt, Request, Turn
from ...workbench.visible import without_surrogates
from ..plain_completion import plain_spans, plain_text
from ..shares import Span, marked, shares, spans
from ..thinking import opens_thinking
from .choosing import own_template, template_variables
from .failures import EngineError
from .tokenizer import Tokenizer


class FormedPrompt(NamedTuple):
    """What the model is fed."""

    mode: Mode
    text: str
    """Without the tokens in `beginning`."""
    beginning: tuple[int, ...]
    """Tokens that the tokenizer puts before a bare text."""
    ids: list[int]
    """All tokens, `beginning` included."""
    thinking_opened: bool
    """It ends with the opening tag of the model's thinking."""
    may_think: bool
    """The model may write thinking before its answer."""


def form(tokenizer: Tokenizer, request: Request, *, count: bool = True) -> FormedPrompt:
    """The prompt: through the chat template, or for a base model the messages' texts, a blank line between.

    Args:
        count: False: the text is all that is wanted; there are no tokens then.

    Raises:
        EngineError: the template refuses the messages, or nothing is left to go on from.
    """
    turns = _clean(request.messages)
    asked = request.sampling.thinking
    continue_last = request.continue_last
    template = own_template(request.sampling)
    switches = "enable_thinking" in template if template else tokenizer.can_switch_thinking
    if tokenizer.template or template:
        if continue_last and turns and not turns[-1].text:
            # Nothing to continue: the template opens the answer itself.
            turns, continue_last = turns[:-1], False
        text = tokenizer.chat(
            turns,
            thinking=asked if switches else None,
            continue_last=continue_last,
            variables=template_variables(request.sampling),
            template=template,
        )
        mode, beginning = "chat", ()
    else:
        text = plain_text(turns)
        mode, beginning = "completion", tokenizer.beginning
    ids = [*beginning, *tokenizer.encode(text)] if count else []
    if count and not ids:
        raise EngineError("engine.empty_prompt", model=str(request.address))
    opened = mode == "chat" and opens_thinking(text)
    thinks = tokenizer.thinks_by_default if asked is None else asked and switches
    return FormedPrompt(mode, text, beginning, ids, opened, opened or bool(thinks))


def shown(tokenizer: Tokenizer, request: Request, context_length: int | None) -> Prompt:
    """The prompt for a person to look at, with the share of each message.

    Raises:
        EngineError: as `form` does.
    """
    prompt = form(tokenizer, request)
    beginning = tokenizer.text_of(prompt.beginning) if prompt.beginning else ""
    pieces = [Piece(beginning, special=True)] if beginning else []
    pieces.extend(tokenizer.pieces(prompt.text))
    found, starts = _spans(tokenizer, request, prompt), tokenizer.starts(prompt.text)
    told = () if found is None or starts is None else shares(found, prompt.text, starts, len(beginning))
    return Prompt(prompt.mode, tuple(pieces), len(prompt.ids), context_length, told)


def _spans(tokenizer: Tokenizer, request: Request, prompt: FormedPrompt) -> list[Span] | None:
    turns = _clean(request.messages)
    if prompt.mode == "completion":
        return plain_spans(turns)
    wrapped = marked(turns)
    if wrapped is None:
        return None
    if request.continue_last and turns and not turns[-1].text:
        # What isn't there is no place to go on from, and its marks would make it one.
        wrapped[-1] = turns[-1]
    try:
        with_marks = form(tokenizer, msgspec.structs.replace(request, messages=tuple(wrapped)), count=False).text
    except EngineError:
        return None
    return spans(prompt.text, with_marks, turns)


def _clean(turns: Sequence[Turn]) -> list[Turn]:
    return [Turn(turn.role, without_surrogates(turn.text), turn.runs_on) for turn in turns]
