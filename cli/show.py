"""`qiao show`: the exact text that the model would see, on stdout; its length on stderr."""

from argparse import Namespace

from ..workbench.seam import Backend, Prompt
from ..workbench.words import say
from .interrupt import Interrupt
from .json_lines import write_json
from .question import Question
from .streams import Data, Narration


def show(options: Namespace, question: Question, backend: Backend, narration: Narration) -> int:
    """Prints the prompt: exact into a pipe, with special tokens coloured and a last line feed on a terminal.

    Returns:
        What the command exits with.

    Raises:
        QiaoError: the model is not here, or can't take these messages.
        KeyboardInterrupt: interrupted.
    """
    request = question.ask.requests[0]
    with Interrupt() as interrupt:
        narration.status(say("cli.stage_template", model=str(request.address)))
        try:
            prompt = backend.prompt(request, interrupt.stop)
        finally:
            narration.clear()
        if interrupt.stop.is_set():
            return interrupt.exit_code
    data = Data()
    if options.json:
        write_json(data, _report(prompt, str(request.address)))
        return 0
    for piece in prompt.pieces:
        data.write(piece.text, special=piece.special)
    if data.is_terminal:
        data.end_line()
    if prompt.mode == "completion":
        narration.note(say("cli.plain_completion", model=str(request.address)))
    if prompt.context_length is None:
        narration.note(say("cli.tokens", tokens=prompt.tokens))
    else:
        narration.note(say("cli.tokens_of_context", tokens=prompt.tokens, context=prompt.context_length))
    return 0


def _report(prompt: Prompt, model: str) -> dict[str, object]:
    return {
        "model": model,
        "mode": prompt.mode,
        "text": prompt.text,
        "tokens": prompt.tokens,
        "context_length": prompt.context_length,
        "pieces": [{"text": piece.text, "special": piece.special} for piece in prompt.pieces],
    }
