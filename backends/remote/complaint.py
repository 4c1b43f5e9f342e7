"""What a server's error means, whatever shape it has.

OpenAI and vLLM write {"error": {"message", "type", "code"}}, vLLM also {"error": "Unauthorized"}, SiliconFlow
{"code", "message"} or a bare string, ModelScope {"errors": {"message"}}, FastAPI {"detail"}, proxies a page of HTML.
"""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from ...workbench.seam import FailureKind
from .sse import decoded

_INNER = ("error", "errors", "detail", "data", "body")
_SAID = ("message", "msg", "detail", "error_msg", "error_message", "reason", "error", "title")
_CODES = ("code", "type", "status", "error_code", "param")


class Complaint(NamedTuple):
    """A server's error, taken apart."""

    status: int
    """The HTTP status; of an error inside a stream, the one that it most likely would have had."""
    said: str
    """Its own words; of a page of HTML, the title."""
    codes: tuple[str, ...] = ()
    """Codes and types, as they were written."""
    is_page: bool = False
    """It was HTML."""

    @property
    def lacks_template(self) -> bool:
        """Whether the model has no chat template: it is a base model."""
        return self.status in (400, 500) and bool(re.search(r"chat[ _]template", self.said, re.IGNORECASE))

    @property
    def refuses_counts(self) -> bool:
        """Whether the server knows no request to count a stream's tokens."""
        return self.status in (400, 422) and "stream_options" in self.said


def read(body: bytes, status: int) -> Complaint:
    """The body of a reply that was an error."""
    text = body.decode("utf-8", "replace").strip()
    if text.startswith("<"):
        title = re.search(r"<(title|h1)[^>]*>(.*?)</\1>", text, re.IGNORECASE | re.DOTALL)
        said = re.sub(r"<[^>]*>", " ", title[2]) if title else ""
        return Complaint(status, html.unescape(said).strip(), is_page=True)
    try:
        value = decoded(body)
    except ValueError:
        return Complaint(status, text)
    return Complaint(status, _said(value), tuple(_codes(value)))


def of_event(value: Any) -> Complaint:
    """An error that came in the middle of a stream."""
    codes, said = tuple(_codes(value)), _said(value)
    numbers = [int(code) for code in codes if re.fullmatch(r"[45]\d\d", code)]
    return Complaint(numbers[0] if numbers else _likely_status(" ".join(codes)), said, codes)


def _likely_status(codes: str) -> int:
    for pattern, status in (
        (r"rate.?limit|throttl|too.?many|quota", 429),
        (r"api.?key|auth|token", 401),
        (r"invalid|bad.?request|inspection|filter|context", 400),
        (r"not.?found", 404),
    ):
        if re.search(pattern, codes, re.IGNORECASE):
            return status
    return 500


_DEEPEST = 8
"""Levels of an error that are looked into."""


def _said(value: Any, level: int = 0) -> str:
    """The first text in it that is meant for a reader."""
    match value:
        case _ if level > _DEEPEST:
            return ""
        case str():
            return value
        case list():
            return "; ".join(filter(None, (_said(item, level + 1) for item in cast(list[Any], value)[:3])))
        case dict():
            table = cast(dict[str, Any], value)
            for key in (*_INNER, *_SAID):
                if isinstance(table.get(key), dict | list) and (inner := _said(table[key], level + 1)):
                    return inner
            return next((table[key] for key in _SAID if isinstance(table.get(key), str) and table[key].strip()), "")
        case _:
            return ""


def _codes(value: Any, level: int = 0) -> Iterator[str]:
    if not isinstance(value, dict) or level > _DEEPEST:
        return
    table = cast(dict[str, Any], value)
    for key in _CODES:
        if isinstance(table.get(key), str | int) and not isinstance(table.get(key), bool):
            yield str(table[key])
    for key in _INNER:
        yield from _codes(table.get(key), level + 1)


_Rule = tuple[re.Pattern[str], FailureKind]

_TOO_LONG = re.compile(
    r"context[ _]?(length|size|window)|maximum (context|input|prompt)|range of input length|prompt is too long"
    r"|too many (input |prompt )?tokens|input (length|tokens?|is)\b.{0,40}(exceed|too long|longer)|max_model_len"
    r"|reduce the length|exceeds? the (model|max)|max_seq_len|max_total_tokens|超过.{0,12}长度|上下文长度",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model.{0,80}(does ?n.t exist|does not exist|not found|not exist|no longer|not supported|not available)"
    r"|(no such|unknown|invalid|unsupported) model|model_?not_?(found|supported|exist)|no provider supported"
    r"|not a valid model|模型.{0,20}(不存在|未找到|下线)",
    re.IGNORECASE,
)
_KEY = re.compile(r"api[ _-]?key|invalid token|access token|unauthori[sz]ed|authenticat", re.IGNORECASE)
_CREDIT = re.compile(
    r"insufficient[ _](quota|balance|credit|funds)|balance|arrear|overdue|billing|credits?\b|payment|real.?name"
    r"|free.?tier|allocationquota|实名|余额|欠费|账单",
    re.IGNORECASE,
)
_CONTENT = re.compile(
    r"data_?inspection|content[ _]?(filter|policy|management)|inappropriate|sensitive|safety|moderation"
    r"|敏感|违规|不合规",
    re.IGNORECASE,
)
_MEMORY = re.compile(r"out of memory|cuda error.{0,20}memory|outofmemory", re.IGNORECASE)


def kind_of(complaint: Complaint, codes: Mapping[str, FailureKind]) -> FailureKind:
    """What kind of failure it is.

    Args:
        codes: the provider's own codes, which count before everything else.
    """
    for code in complaint.codes:
        if code in codes:
            return codes[code]
    status = complaint.status
    text = " ".join((*complaint.codes, complaint.said))
    if status in (401, 407):
        return "key_refused"
    if status == 402:
        return "no_credit"
    if status == 403:
        return _first(
            text, "key_refused", (_CREDIT, "no_credit"), (_CONTENT, "content_refused"), (_NO_MODEL, "unknown_model")
        )
    if status == 404:
        # Without a word of a model, it is the path that nobody knows.
        named = re.search(r"model|模型", text, re.IGNORECASE) and not complaint.is_page
        return "unknown_model" if named else "bad_reply"
    if status == 405:
        return "bad_reply"
    if status == 429:
        return _first(text, "rate_limited", (_CREDIT, "no_credit"))
    if status in (408, 409, 425) or status >= 500:
        return _first(text, "server_error", (_MEMORY, "out_of_memory"))
    return _first(
        text,
        "invalid_request",
        (_TOO_LONG, "context_too_long"),
        (_CONTENT, "content_refused"),
        (_NO_MODEL, "unknown_model"),
        (_KEY, "key_refused"),
        (_CREDIT, "no_credit"),
        (re.compile(r"too many requests|rate.?limit|throttl", re.IGNORECASE), "rate_limited"),
    )


def _first(text: str, otherwise: FailureKind, *rules: _Rule) -> FailureKind:
    for pattern, kind in rules:
        if pattern.search(text):
            return kind
    return otherwise
