"""From a request to the exact prompt: its text, and its tokens."""

from typing import NamedTuple

from ...workbench.seam import Mode, Piece, Prompt, Request
from ...workbench.visible import without_surrogates
from ..thinking import opens_thinking
from .choosing import template_variables
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


def form(tokenizer: Tokenizer, request: Request) -> FormedPrompt:
    """The prompt: through the chat template, or for a base model the messages' texts, a blank line between.

    Raises:
        EngineError: the template refuses the messages, or nothing is left to go on from.
    """
    turns = [type(turn)(turn.role, without_surrogates(turn.text)) for turn in request.messages]
    asked = request.sampling.thinking
    continue_last = request.continue_last
    if tokenizer.template:
        if continue_last and turns and not turns[-1].text:
            # Nothing to continue: the template opens the answer itself.
            turns, continue_last = turns[:-1], False
        text = tokenizer.chat(
            turns,
            thinking=asked if tokenizer.can_switch_thinking else None,
            continue_last=continue_last,
            variables=template_variables(request.sampling),
        )
        mode, beginning = "chat", ()
    else:
        text = "\n\n".join(turn.text for turn in turns if turn.text)
        mode, beginning = "completion", tokenizer.beginning
    ids = [*beginning, *tokenizer.encode(text)]
    if not ids:
        raise EngineError("engine.empty_prompt", model=str(request.address))
    opened = mode == "chat" and opens_thinking(text)
    thinks = tokenizer.thinks_by_default if asked is None else asked and tokenizer.can_switch_thinking
    return FormedPrompt(mode, text, beginning, ids, opened, opened or bool(thinks))


def shown(tokenizer: Tokenizer, prompt: FormedPrompt, context_length: int | None) -> Prompt:
    """The prompt for a person to look at."""
    pieces: list[Piece] = []
    if prompt.beginning:
        pieces.append(Piece(tokenizer.text_of(prompt.beginning), special=True))
    pieces.extend(tokenizer.pieces(prompt.text))
    return Prompt(prompt.mode, tuple(pieces), len(prompt.ids), context_length)
