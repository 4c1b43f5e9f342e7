"""The exact prompt as a vLLM server makes it: `/tokenize` applies the chat template, `/detokenize` gives its text."""

import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ...workbench.errors import BrokenOff, QiaoError, Refused
from ...workbench.sampling import Sampling
from ...workbench.seam import Mode, Piece, Prompt, Request
from ...workbench.visible import visible_line, without_surrogates
from .plain_http import Unanswered, post, stoppable

_SPECIAL = re.compile(r"<(?!0x[0-9A-Fa-f]{2}>)[^\s<>]*[^\W\d][^\s<>]*>|\[[^\s\[\]]*[^\W\d][^\s\[\]]*\]")
"""How special tokens look: `<|im_end|>`, `<s>`, `<think>`, `[INST]`; not `<0x0A>`, a byte.

The server doesn't tell which tokens are special. But one of letters and brackets together is none that was learnt from
text: all tokenizers part these before they learn.
"""

_NO_TEMPLATE = re.compile(r"chat template", re.IGNORECASE)


class Server(NamedTuple):
    """Where to ask, and how."""

    root_url: str
    """Without `/v1`."""
    key: str | None = None
    path: str = "/tokenize"
    thinking_on: Mapping[str, Any] = {}
    """Variables of the chat template that switch thinking on."""
    thinking_off: Mapping[str, Any] = {}
    is_base: bool = False
    """The model is known to have no chat template."""


class _Tokens(msgspec.Struct):
    """Answer of /tokenize."""

    count: int
    tokens: list[int]
    max_model_len: int | None = None
    token_strs: list[str] | None = None


def prompt(server: Server, request: Request, stop: threading.Event) -> Prompt:
    """The exact text that the model would see for this request.

    A model without a chat template gets the messages' bare texts, a blank line between.

    Raises:
        Refused: the server isn't reached, or doesn't know the model or take the messages.
        BrokenOff: what answers is no vLLM server, or `stop` was set.
    """
    asked = {"model": request.address.name, "return_token_strs": True}
    mode: Mode = "chat"
    text = ""
    try:
        tokens = None if server.is_base else _templated(server, {**asked, **chat_body(server, request)}, stop)
        if tokens is None:
            mode, text = "completion", plain_text(request)
            tokens = _tokens(server, {**asked, "prompt": text}, stop)
        if mode == "chat":
            text = _text_of(server, request.address.name, tokens.tokens, stop)
    except Unanswered as error:
        raise _refusal(server, request, error) from None
    return Prompt(mode, tuple(pieces(text, tokens.token_strs or ())), tokens.count, tokens.max_model_len)


def _templated(server: Server, body: dict[str, Any], stop: threading.Event) -> "_Tokens | None":
    """The messages through the chat template; None if the model has none."""
    try:
        return _tokens(server, body, stop)
    except Unanswered as error:
        if error.status == 400 and _NO_TEMPLATE.search(error.message()):
            return None
        raise


def chat_body(server: Server, request: Request) -> dict[str, Any]:
    """The messages as vLLM takes them, with what else its chat template reads."""
    turns = list(request.messages)
    continues = request.continue_last
    if continues and turns and not turns[-1].text:
        # Nothing to continue: the template opens the answer itself.
        turns, continues = turns[:-1], False
    body: dict[str, Any] = {"messages": [{"role": t.role, "content": without_surrogates(t.text)} for t in turns]}
    if continues:
        body |= {"add_generation_prompt": False, "continue_final_message": True}
    if variables := template_variables(server, request.sampling):
        body["chat_template_kwargs"] = variables
    return body


def template_variables(server: Server, sampling: Sampling) -> dict[str, Any]:
    """Variables of the chat template: the thinking switch, and what `extra.chat_template_kwargs` says."""
    given: Any = (sampling.extra or {}).get("chat_template_kwargs")
    variables: dict[str, Any] = {}
    if sampling.thinking is not None:
        variables |= server.thinking_on if sampling.thinking else server.thinking_off
    if isinstance(given, Mapping):
        variables |= given
    return variables


def plain_text(request: Request) -> str:
    """What a base model goes on from."""
    return "\n\n".join(without_surrogates(turn.text) for turn in request.messages if turn.text)


def pieces(text: str, token_strs: Sequence[str]) -> list[Piece]:
    """The text, parted at its special tokens; those that the tokenizer puts before a bare text come first."""
    found: list[Piece] = []
    at = 0
    for token in token_strs:
        if not _SPECIAL.fullmatch(token):
            continue
        start = text.find(token, at)
        if start < 0:
            if at == 0 and not found:
                found.append(Piece(token, special=True))
            continue
        if start > at:
            found.append(Piece(text[at:start]))
        found.append(Piece(token, special=True))
        at = start + len(token)
    if at < len(text):
        found.append(Piece(text[at:]))
    return found


def _tokens(server: Server, body: dict[str, Any], stop: threading.Event) -> _Tokens:
    answer = _post(server, server.path, body, stop)
    try:
        return msgspec.convert(answer, _Tokens)
    except msgspec.ValidationError:
        raise Unanswered(200, str(answer)[:200]) from None


def _text_of(server: Server, model: str, tokens: list[int], stop: threading.Event) -> str:
    answer = _post(server, server.path.replace("tokenize", "detokenize"), {"model": model, "tokens": tokens}, stop)
    text = answer.get("prompt") if isinstance(answer, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(text, str):
        raise Unanswered(200, str(answer)[:200])  # pyright: ignore[reportUnknownArgumentType]
    return without_surrogates(text)


def _post(server: Server, path: str, body: dict[str, Any], stop: threading.Event) -> Any:
    answer = stoppable(stop, lambda: post(server.root_url + path, body, key=server.key))
    if stop.is_set():
        raise BrokenOff("vllm.stopped")
    return answer


def _refusal(server: Server, request: Request, error: Unanswered) -> QiaoError:
    model, said = visible_line(str(request.address)), visible_line(error.message())
    if error.status is None:
        return Refused("vllm.unreachable", model=model, url=visible_line(server.root_url), reason=said)
    if error.status in (401, 403):
        return Refused("vllm.key_refused", model=model, url=visible_line(server.root_url))
    if error.status == 400 or (error.status == 404 and "does not exist" in said):
        return Refused("vllm.prompt_refused", model=model, said=said)
    return BrokenOff("vllm.no_tokenize", model=model, url=visible_line(server.root_url))
