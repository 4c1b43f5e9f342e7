"""The exact prompt as a vLLM server makes it: `/tokenize` applies the chat template, `/detokenize` gives its text."""

import re
import threading
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from ...workbench.errors import BrokenOff, QiaoError, Refused
from ...workbench.seam import Count, Mode, Piece, Prompt, Request, Share, Turn
from ...workbench.token_counts import MOST, estimate, tally
from ...workbench.visible import visible_line, without_surrogates
from ..plain_completion import plain_spans
from ..remote.body import body
from ..remote.server import Endpoint
from ..shares import marked, shares, spans, token_starts
from .plain_http import Unanswered, post, root_url, stoppable

_SPECIAL = re.compile(r"<(?!0x[0-9A-Fa-f]{2}>)[^\s<>]*[^\W\d][^\s<>]*>|\[[^\s\[\]]*[^\W\d][^\s\[\]]*\]")
"""How special tokens look: `<|im_end|>`, `<s>`, `<think>`, `[INST]`; not `<0x0A>`, a byte.

The server doesn't tell which tokens are special. But one of letters and brackets together is none that was learnt from
text: all tokenizers part these before they learn.
"""

_OF_TEMPLATE = frozenset(
    {"add_generation_prompt", "continue_final_message", "chat_template_kwargs", "chat_template", "tools"}
)
"""What of a chat request the template reads."""

_NO_TEMPLATE = re.compile(r"chat template", re.IGNORECASE)


class _Tokens(msgspec.Struct):
    """Answer of /tokenize."""

    count: int
    tokens: list[int]
    max_model_len: int | None = None
    token_strs: list[str] | None = None


class _Text(msgspec.Struct):
    """Answer of /detokenize."""

    prompt: str


def prompt(endpoint: Endpoint, request: Request, stop: threading.Event) -> Prompt:
    """The exact text that the model would see for this request.

    What is asked is what would be sent for an answer, as far as the chat template reads it. A model without a chat
    template gets the messages' bare texts.

    Raises:
        Refused: the server isn't reached, or doesn't know the model or take the messages.
        BrokenOff: what answers is no vLLM server, or `stop` was set.
        QiaoError: the messages can't be put into the server's terms.
    """
    server = _Server(endpoint, request, stop)
    try:
        tokens = None if server.is_base else server.chat()
        if tokens is None:
            mode, (text, tokens) = "completion", server.completion()
        else:
            mode, text = "chat", server.text_of(tokens.tokens)
    except Unanswered as error:
        raise server.refusal(error) from None
    shown = tuple(pieces(text, tokens.token_strs or ()))
    told = server.shares(mode, text, tokens.token_strs or ())
    return Prompt(mode, shown, tokens.count, tokens.max_model_len, told)


def count(endpoint: Endpoint, request: Request, stop: threading.Event) -> Count | None:
    """How many tokens the request comes to. Exact, but for a very long one; None if the server doesn't tell."""
    server = _Server(endpoint, request, stop)
    texts = [without_surrogates(turn.text) for turn in request.messages]
    try:
        own = tally(texts[-1:], server.counts)
    except (Unanswered, QiaoError):
        return None
    guess = estimate(request)
    whole = Count(own.tokens, guess.whole - guess.last + own.tokens, None, own.exact, whole_is_exact=False)
    if sum(map(len, texts)) > MOST or not any(texts):
        return whole
    try:
        tokens = (None if server.is_base else server.chat()) or server.completion()[1]
    except (Unanswered, QiaoError):
        # A template may refuse what isn't finished yet.
        return whole
    return Count(own.tokens, tokens.count, tokens.max_model_len, own.exact)


class _Server:
    """A server, and one request to it."""

    def __init__(self, endpoint: Endpoint, request: Request, stop: threading.Event) -> None:
        self._provider = endpoint.provider
        self._root = root_url(endpoint.base_url)
        self._key = endpoint.key.value if endpoint.key else None
        self._path = endpoint.provider.tokenize or "/tokenize"
        self._request = request
        self._stop = stop

    @property
    def is_base(self) -> bool:
        """The model is known to have no chat template."""
        return any(fnmatchcase(self._request.address.name, pattern) for pattern in self._provider.completion)

    def chat(self, request: Request | None = None) -> "_Tokens | None":
        """The messages through the chat template; None if the model turns out to have none.

        Args:
            request: instead of the one that it is about.
        """
        sent = body(self._provider, request or self._request, "chat")
        template = {name: value for name, value in sent.fields.items() if name in _OF_TEMPLATE}
        try:
            return self._tokens({"messages": sent.messages, **template})
        except Unanswered as error:
            if error.status == 400 and _NO_TEMPLATE.search(error.message()):
                return None
            raise

    def completion(self) -> tuple[str, "_Tokens"]:
        """What a base model goes on from."""
        text = body(self._provider, self._request, "completion").prompt
        return text, self._tokens({"prompt": text})

    def counts(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text is by itself."""
        asked = {"add_special_tokens": False}
        return [self._tokens({"prompt": text, **asked}).count if text else 0 for text in texts]

    def text_of(self, tokens: list[int]) -> str:
        """Special tokens included."""
        answer = self._post(self._path.replace("tokenize", "detokenize"), {"tokens": tokens})
        try:
            return without_surrogates(msgspec.convert(answer, _Text).prompt)
        except msgspec.ValidationError:
            raise Unanswered(200, str(answer)[:200]) from None

    def shares(self, mode: Mode, text: str, names: Sequence[str]) -> tuple[Share, ...]:
        """What of the prompt each message is; nothing where it can't be told. Takes two more questions for a chat."""
        turns = [Turn(turn.role, without_surrogates(turn.text), turn.runs_on) for turn in self._request.messages]
        if mode == "completion":
            # Tokens that the tokenizer puts before a bare text are no part of it.
            before = [name for name in names[:1] if _SPECIAL.fullmatch(name) and not text.startswith(name)]
            starts = token_starts(text, names[len(before) :])
            return () if starts is None else shares(plain_spans(turns), text, starts, len("".join(before)))
        starts, wrapped = token_starts(text, names), marked(turns)
        if starts is None or wrapped is None:
            return ()
        if self._request.continue_last and not turns[-1].text:
            wrapped[-1] = turns[-1]
        try:
            tokens = self.chat(msgspec.structs.replace(self._request, messages=tuple(wrapped)))
            found = None if tokens is None else spans(text, self.text_of(tokens.tokens), turns)
        except Unanswered:
            # The marks may make a long prompt too long; the prompt itself is there.
            return ()
        return () if found is None else shares(found, text, starts)

    def refusal(self, error: Unanswered) -> QiaoError:
        """What the server's no means."""
        model, said = visible_line(str(self._request.address)), visible_line(error.message())
        url = visible_line(self._root)
        if error.status is None:
            return Refused("vllm.unreachable", model=model, url=url, reason=said)
        if error.status in (401, 403):
            return Refused("vllm.key_refused", model=model, url=url)
        if error.status == 400 or (error.status == 404 and "does not exist" in said):
            return Refused("vllm.prompt_refused", model=model, said=said)
        return BrokenOff("vllm.no_tokenize", model=model, url=url)

    def _tokens(self, asked: dict[str, Any]) -> "_Tokens":
        answer = self._post(self._path, {**asked, "return_token_strs": True})
        try:
            return msgspec.convert(answer, _Tokens)
        except msgspec.ValidationError:
            raise Unanswered(200, str(answer)[:200]) from None

    def _post(self, path: str, asked: dict[str, Any]) -> Any:
        named = {"model": self._request.address.name, **asked}
        answer = stoppable(self._stop, lambda: post(self._root + path, named, key=self._key))
        if self._stop.is_set():
            raise BrokenOff("vllm.stopped")
        return answer


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
