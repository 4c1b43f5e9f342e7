"""The process that a model lives in: `python -m qiao.backends.local.child PATH PLACEMENT MANNER`.

Commands come in on stdin, replies go out on what was stdout; what libraries print goes to stderr, which is a log file.
When stdin ends, so does the process: a parent that was killed leaves none behind.

It answers one `Generate` at a time, in its main thread; `Render`, which needs the tokenizer only, at any time.
"""

import os
import queue
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from ...workbench.seam import Event, Progress, Prompt
from .checkpoint import inspect
from .context import context_length
from .failures import EngineError, first_line
from .manner import Manner
from .placement import CPU, Placement
from .protocol import (
    Command,
    Generate,
    Loaded,
    Noted,
    Refusal,
    Render,
    Rendered,
    Reply,
    Said,
    Stop,
    decode_command,
    encode,
)

if TYPE_CHECKING:
    from .answering import Answerer
    from .tokenizer import Tokenizer

PROGRESS_STEPS = 100
"""Progress is told at most so many times while a model loads."""


class Child:
    """One model, and what has been loaded of it so far."""

    def __init__(self, path: Path, placement: Placement, manner: Manner, commands: BinaryIO, replies: BinaryIO) -> None:
        self._path = path
        self._placement = placement
        self._manner = manner
        self._commands = commands
        self._replies = replies
        self._saying = threading.Lock()
        self._loading_tokenizer = threading.Lock()
        self._tokenizer: Tokenizer | None = None
        self._answerer: Answerer | None = None
        self._stops: dict[int, threading.Event] = {}
        self._to_answer: queue.SimpleQueue[Generate] = queue.SimpleQueue()
        self._to_render: queue.SimpleQueue[Render] = queue.SimpleQueue()

    def run(self) -> None:
        """Works until stdin ends; doesn't return."""
        threading.Thread(target=self._listen, name="commands", daemon=True).start()
        threading.Thread(target=self._render_all, name="prompts", daemon=True).start()
        while True:
            self._answer(self._to_answer.get())

    def _listen(self) -> None:
        for line in self._commands:
            command: Command = decode_command(line)
            match command:
                case Generate():
                    self._stops[command.id] = threading.Event()
                    self._to_answer.put(command)
                case Render():
                    self._to_render.put(command)
                case Stop():
                    stop = self._stops.get(command.id)
                    if stop is not None:
                        stop.set()
        # At once, whatever the other threads do: there is nothing to save.
        os._exit(0)

    def _say(self, reply: Reply) -> None:
        with self._saying:
            try:
                self._replies.write(encode(reply))
                self._replies.flush()
            except BrokenPipeError:
                os._exit(0)

    def _answer(self, command: Generate) -> None:
        def say(event: Event) -> None:
            self._say(Said(command.id, event))

        try:
            if self._answerer is None:
                self._load(command)
            assert self._answerer is not None
            self._answerer.answer(command.request, self._stops[command.id], say)
        # The one place where whatever breaks in the libraries becomes a reply.
        except Exception as error:  # noqa: BLE001
            self._refuse(command, error, fatal=self._answerer is None or _cuda_is_lost(error))
        finally:
            del self._stops[command.id]

    def _load(self, command: Generate) -> None:
        model_name = str(command.request.address)
        self._say(Said(command.id, Progress("starting")))
        tokenizer = self._ready_tokenizer(model_name)
        from . import weights
        from .answering import Answerer

        told = -1

        def progress(done: int, total: int) -> None:
            nonlocal told
            step = done * PROGRESS_STEPS // max(total, 1)
            if step > told:
                told = step
                self._say(Said(command.id, Progress("loading", done, total)))

        self._say(Said(command.id, Progress("loading")))
        trouble = weights.gpu_trouble(self._placement)
        if trouble is not None:
            self._say(Noted(command.id, "engine.gpu_unusable", {"reason": trouble}))
            self._placement = CPU
            _come_last()
        loaded = weights.load(self._path, self._placement, model_name, progress, self._manner.quantize, trouble)
        self._answerer = Answerer(
            tokenizer, loaded.model, context_length(self._path), weights.device_bytes(loaded.device)
        )
        self._say(Loaded(loaded.device, loaded.dtype))

    def _ready_tokenizer(self, model_name: str) -> "Tokenizer":
        """The tokenizer; loaded by whichever thread wants it first."""
        with self._loading_tokenizer:
            if self._tokenizer is None:
                from .tokenizer import Tokenizer

                try:
                    kind = self._manner.kind or inspect(self._path).kind
                    self._tokenizer = Tokenizer(self._path, with_template=kind != "base")
                except Exception as error:
                    from . import weights

                    raise weights.explained(error, self._path, model_name) from error
            return self._tokenizer

    def _render_all(self) -> None:
        while True:
            command = self._to_render.get()
            try:
                self._say(Rendered(command.id, self._rendered(command)))
            except Exception as error:  # noqa: BLE001
                self._refuse(command, error, fatal=False)

    def _rendered(self, command: Render) -> Prompt:
        from .prompting import shown

        tokenizer = self._ready_tokenizer(str(command.request.address))
        return shown(tokenizer, command.request, context_length(self._path))

    def _refuse(self, command: Generate | Render, error: Exception, *, fatal: bool) -> None:
        traceback.print_exception(error)
        sys.stderr.flush()
        known = error if isinstance(error, EngineError) else self._explained(error, str(command.request.address))
        params = {name: str(value) for name, value in known.params.items()}
        self._say(Refusal(command.id, known.kind, known.key, params, fatal))
        # What a traceback holds on to is memory of the model's.
        error.__traceback__ = None

    def _explained(self, error: Exception, model_name: str) -> EngineError:
        from .weights import free_memory, is_out_of_memory

        if is_out_of_memory(error):
            return EngineError("engine.memory_answering", model=model_name, free=free_memory())
        return EngineError("engine.broke", model=model_name, reason=first_line(error))


def _cuda_is_lost(error: Exception) -> bool:
    """Whether the process can't use the GPU any more; running out of its memory is survived."""
    return "CUDA error" in str(error) and type(error).__name__ != "OutOfMemoryError"


def _come_last() -> None:
    """All cores compute, and the screen still comes first."""
    os.nice(5)


def main() -> None:
    """Takes the standard streams over, and works."""
    path, place, manner = sys.argv[1:]
    replies = os.fdopen(os.dup(1), "wb")
    commands = os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    placement = msgspec.json.decode(place, type=Placement)
    if placement.device == "cpu":
        _come_last()
    Child(Path(path), placement, msgspec.json.decode(manner, type=Manner), commands, replies).run()


if __name__ == "__main__":
    main()
