"""`qiao show`: the exact text that the model would see, on stdout; its length on stderr."""

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..workbench.errors import QiaoError
from ..workbench.seam import Prompt, Request, Turn
from ..workbench.words import say
from .interrupt import Interrupt
from .json_lines import write_json
from .progress import ProgressLine
from .question import Question
from .streams import Data, Narration

if TYPE_CHECKING:
    from ..backends.registry import Backends


def show(options: Namespace, question: Question, backends: "Backends", narration: Narration) -> int:
    """Prints the prompt: exact into a pipe, with special tokens coloured and a last line feed on a terminal.

    Returns:
        What the command exits with.

    Raises:
        QiaoError: the model is not here, or can't take these messages; or it was interrupted.
    """
    request = question.ask.requests[0]
    prompt = _prompt(request, backends, narration)
    data = Data()
    if options.json:
        write_json(data, _report(prompt, str(request.address), request.messages))
        return 0
    for piece in prompt.pieces:
        data.write(piece.text, special=piece.special)
    if data.is_terminal:
        data.end_line()
    if prompt.cut:
        narration.note(say("seen.cut_note", n=len(prompt.cut)))
    if prompt.mode == "completion":
        narration.note(say("cli.plain_completion", model=str(request.address)))
    if prompt.context_length is None:
        narration.note(say("cli.tokens", tokens=prompt.tokens))
    else:
        narration.note(say("cli.tokens_of_context", tokens=prompt.tokens, context=prompt.context_length))
    return 0


def _prompt(request: Request, backends: "Backends", narration: Narration) -> Prompt:
    model = str(request.address)
    progress = ProgressLine(narration, model)
    with Interrupt() as interrupt:
        try:
            for step in backends.prepare(request.address, interrupt.stop):
                progress.show(step)
            interrupt.check()
            narration.clear()
            narration.status(say("cli.stage_template", model=model))
            prompt = backends.prompt(request, interrupt.stop)
        except QiaoError:
            # Being stopped is the reason, whatever the backend calls it.
            interrupt.check()
            raise
        finally:
            narration.clear()
        interrupt.check()
        return prompt


def _report(prompt: Prompt, model: str, turns: Sequence[Turn]) -> dict[str, object]:
    return {
        "model": model,
        "mode": prompt.mode,
        "text": prompt.text,
        "tokens": prompt.tokens,
        "context_length": prompt.context_length,
        "messages": [
            {
                "role": turn.role,
                "tokens": share.tokens,
                "start": share.start,
                "end": share.end,
                "sent": i not in prompt.cut,
            }
            for i, (turn, share) in enumerate(zip(turns, prompt.shares, strict=False))
        ],
        "pieces": [{"text": piece.text, "special": piece.special} for piece in prompt.pieces],
    }
