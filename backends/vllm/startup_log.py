"""What a starting vLLM server writes: its steps for a person who waits, and the cause when it fails.

The lines are those of vLLM 0.32, most of them unchanged for a year; one that isn't known is passed over, never fatal.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ...workbench.seam import Progress
from ...workbench.visible import visible_line
from ...workbench.words import say

_PREFIX = re.compile(r"^(\(\S+ pid=\d+\)\s*)?((INFO|WARNING|ERROR) \d\d-\d\d \d\d:\d\d:\d\d \[[^\]]*\] ?)?")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SHARDS = re.compile(r"(Loading \S+ checkpoint shards|Loading weights).*?(\d+)% Completed \| (\d+)/(\d+)")


class Log:
    """Lines as they come, put together from pieces: a progress bar rewrites its line with CR."""

    def __init__(self) -> None:
        self._rest = ""

    def lines(self, piece: str) -> Iterator[str]:
        """The lines that this piece of the file ends, without vLLM's own prefix."""
        *whole, self._rest = re.split(r"[\r\n]", self._rest + piece)
        for line in whole:
            if bare := bare_line(line):
                yield bare


def bare_line(line: str) -> str:
    """The line without colours and `(EngineCore pid=1) INFO 11-23 03:01:08 [core.py:133] `."""
    return _PREFIX.sub("", _COLOUR.sub("", line), count=1).strip()


def step(line: str) -> Progress | None:
    """What a line says of how far the start is; None if nothing."""
    if match := _SHARDS.search(line):
        return Progress("loading", int(match[3]), int(match[4]), say("vllm.step_weights"))
    for pattern, made in _STEPS:
        if match := pattern.search(line):
            return made(match)
    return None


def _note(key: str, stage: str = "starting") -> Callable[["re.Match[str]"], Progress]:
    def made(match: "re.Match[str]") -> Progress:
        groups = {name: visible_line(value) for name, value in match.groupdict().items()}
        return Progress("loading" if stage == "loading" else "starting", note=say(key, **groups))

    return made


_STEPS: tuple[tuple["re.Pattern[str]", Callable[["re.Match[str]"], Progress]], ...] = tuple(
    (re.compile(pattern), made)
    for pattern, made in (
        (r"Resolved architecture: (?P<architecture>\S+)", _note("vllm.step_architecture")),
        (r"Initializing a V1 LLM engine", _note("vllm.step_engine")),
        (r"Starting to load model", _note("vllm.step_weights", "loading")),
        (r"(Loading weights took|Model loading took)", _note("vllm.step_loaded")),
        (
            r"(Dynamo bytecode transform|Compiling a graph|torch\.compile takes)",
            _note("vllm.step_compiling"),
        ),
        (r"(Warming up|Capturing CUDA graphs|Graph capturing)", _note("vllm.step_warming")),
        (r"KV cache size: (?P<tokens>[\d,]+) tokens", _note("vllm.step_cache")),
        (r"Starting vLLM (API )?server", _note("vllm.step_serving")),
    )
)


class Cause(NamedTuple):
    """Why a start failed."""

    sentence: str
    """For a person: what is wrong, and what to change."""
    quoted: str
    """The log's own line about it; empty if none was found."""


def cause(log: str) -> Cause | None:
    """Why the server ended, from its log; None if nothing in it tells.

    The last lines only say that the engine failed: the root cause stands some sixty lines above, in the first error.
    """
    lines = [bare_line(line) for line in re.split(r"[\r\n]", log)]
    for line in lines:
        for pattern, key in _CAUSES:
            if match := pattern.search(line):
                groups = {name: visible_line(value or "") for name, value in match.groupdict().items()}
                return Cause(say(key, **groups), visible_line(line))
    for line in lines:
        if (match := _ERROR.match(line)) and not _CONSEQUENCE.search(line):
            said = visible_line(match["text"][:300])
            return Cause(say("vllm.cause_other", said=said), visible_line(line))
    return None


_ERROR = re.compile(
    r"^(?:Value error, |(?=[A-Za-z_][\w.]*(?:Error|Exception): )|(?:vllm|api_server\.py).*?: error: )"
    r"(?P<text>.+?)(?: \[type=\w+, input_value=.*)?$"
)
_CONSEQUENCE = re.compile(
    r"See (stack trace|root cause)|Engine core initialization failed|failed core proc|validation errors? for ", re.I
)

_CAUSES: tuple[tuple["re.Pattern[str]", str], ...] = tuple(
    (re.compile(pattern), f"vllm.cause_{name}")
    for pattern, name in (
        (r"error: unrecognized arguments: (?P<flag>.+)", "unknown_flag"),
        (r"error: argument (?P<flag>\S+): (?P<why>.+)", "bad_flag"),
        (r"(Address already in use|address already in use)", "port"),
        (
            r"max_model_len \((?P<asked>\d+)\) is greater than the derived max_model_len \D*(?P<most>\d+)",
            "too_long",
        ),
        (
            r"To serve at least one request with the models?'s max seq len \((?P<length>\d+)\).*?"
            r"estimated maximum model length is (?P<most>\d+)",
            "cache_too_small",
        ),
        (r"To serve at least one request with the models?'s max seq len \((?P<length>\d+)\)", "cache_short"),
        (r"No available memory for the cache blocks|is less than requested memory for kv", "no_cache"),
        (
            r"(?:Free|Available) memory on (?:device|node) ?\S* \((?P<free>[\d.]+)/(?P<total>[\d.]+) GiB\) on startup "
            r"is less than desired (?:GPU|CPU) memory utilization \((?P<wanted>[\d.]+), (?P<bytes>[\d.]+) GiB\)",
            "not_free",
        ),
        (r"(torch\.(cuda\.)?OutOfMemoryError|CUDA out of memory)", "out_of_memory"),
        (
            r"World size \(\d+\) is larger than the number of|Tensor parallel size .* exceeds available",
            "gpus",
        ),
        (r"must be divisible by tensor parallel size \((?P<asked>\d+)\)", "heads"),
        (r"Repo id must|does not appear to have a file named config\.json|Can't load the configuration", "no_model"),
        (r"Model architectures \[?(?P<names>.+?)\]? (are not|is not|failed)", "architecture"),
        (r"has model type `(?P<names>\S+)` but Transformers does not recognize", "architecture"),
        (r"No module named '?(?P<name>vllm)\b", "no_module"),
        (r"No package metadata was found for (?P<name>vllm)", "broken_command"),
        (r"Failed to infer device type", "no_device"),
    )
)
