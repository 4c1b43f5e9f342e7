"""The local engine: transformers behind the seam, each model in a process of its own."""

import importlib.util
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from ...workbench.address import Address
from ...workbench.conversation import Usage
from ...workbench.errors import QiaoError
from ...workbench.seam import Count, Event, Failed, FailureKind, Finished, Model, Prompt, Request
from ...workbench.visible import visible_line
from .checkpoint import GGUF, Checkpoint, inspect
from .counting import TokenCounter
from .exchange import GRACE_S
from .failures import EngineError
from .fit import gpu_bytes
from .manner import AS_IT_IS, Manner
from .placement import CPU, Gpu, Placement, place
from .resident import Resident

_UNLOADABLE = frozenset({"models.no_model", "models.no_model_file"})
"""Refusals of `resolve` that mean: it is here, but no model that this engine can read."""

_IDLE_POLL_S = 15.0


class _Choice(NamedTuple):
    """Where a model was to go when its child was last started."""

    placement: Placement
    needed: int
    """Bytes of each of its GPUs."""
    free: Mapping[str, int]
    """Bytes that were free at that moment, by GPU."""


class LocalBackend:
    """Answers with models on this machine; several can be loaded at once. Implements `qiao.workbench.seam.Backend`.

    Args:
        find: lists the models that are here.
        resolve: the path of the model that `local:NAME` means; raises QiaoError if there is none.
        manner: what the configuration says now of the model `local:NAME`.
        unload_after_s: a model that has answered nothing for so long gives its memory back. None: never.
    """

    def __init__(
        self,
        find: Callable[[], list[Model]],
        resolve: Callable[[str], Path],
        manner: Callable[[str], Manner] = lambda name: AS_IT_IS,
        unload_after_s: float | None = None,
    ) -> None:
        self._find = find
        self._resolve = resolve
        self._manner = manner
        self._unload_after_s = unload_after_s
        self._closed = threading.Event()
        self._residents: dict[Path, Resident] = {}
        self._names: dict[Path, Address] = {}
        """By which address each resident was first asked for."""
        self._choices: dict[Path, _Choice] = {}
        self._changing = threading.Lock()
        self._placing = threading.Lock()
        self._counter = TokenCounter()

    def generate(self, request: Request, stop: threading.Event) -> Iterator[Event]:
        """One answer as it comes; see the seam. Requests to one model are answered one after the other."""
        if stop.is_set():
            yield Finished("cancelled", Usage(completion_tokens=0))
            return
        ready = self._ready(request)
        if isinstance(ready, Failed):
            yield ready
        else:
            yield from ready.generate(request, stop)

    def prompt(self, request: Request, stop: threading.Event) -> Prompt:
        """The exact prompt; loads the tokenizer only. Comes also while the model answers something else.

        Raises:
            QiaoError: as a `Failed` event would say it.
        """
        ready = self._ready(request)
        if isinstance(ready, Failed):
            raise ready.error()
        return ready.prompt(request, stop)

    def count(self, request: Request, stop: threading.Event) -> Count | None:
        """The request's tokens, by the model's own tokenizer; what its template writes is guessed.

        Raises:
            QiaoError: there is no such model.
        """
        path = _absolute(self._resolve(request.address.name))
        kind = self._manner(request.address.name).kind or inspect(path).kind
        return self._counter.count(path, request, is_base=kind == "base")

    def models(self) -> list[Model]:
        """What was found, with the state each is in; models given by path that are in memory come last."""
        with self._changing:
            residents, names = dict(self._residents), dict(self._names)
        models: list[Model] = []
        for model in self._find():
            resident = None if model.path is None else residents.pop(_absolute(model.path), None)
            models.append(model if resident is None else _overlaid(model, resident))
        for path, resident in residents.items():
            if resident.state in ("loading", "loaded"):
                title = visible_line(path.name)
                models.append(_overlaid(Model(names[path], title, "on_disk", path=str(path)), resident))
        return models

    def unheeded(self, request: Request) -> dict[str, str]:
        """Nothing: all parameters are carried out here."""
        return {}

    def unload(self, address: Address) -> None:
        """Ends the model's process, which gives all its memory back; blocks for up to two seconds or so."""
        try:
            path = _absolute(self._resolve(address.name))
        except QiaoError:
            # What was deleted meanwhile may still be in memory.
            with self._changing:
                path = next((path for path, name in self._names.items() if name == address), None)
        with self._changing:
            resident = None if path is None else self._residents.get(path)
        if resident is not None:
            resident.unload()

    def close(self) -> None:
        """Ends all processes. Were this never called, they would end with this one, whose pipe they listen to."""
        self._closed.set()
        self._counter.close()
        with self._changing:
            residents = list(self._residents.values())
        ends = [threading.Thread(target=resident.unload, name="engine end") for resident in residents]
        for end in ends:
            end.start()
        for end in ends:
            end.join()

    def process_id(self, address: Address) -> int | None:
        """The process that the model lives in, while there is one: what the sensors see on a GPU."""
        with self._changing:
            path = next((path for path, name in self._names.items() if name == address), None)
            return None if path is None else self._residents[path].pid

    def _ready(self, request: Request) -> Resident | Failed:
        """The model that is asked for; or why there is no use in trying."""
        address = request.address
        try:
            path = _absolute(self._resolve(address.name))
        except QiaoError as error:
            kind: FailureKind = "unloadable" if error.key in _UNLOADABLE else "unknown_model"
            return Failed(kind, str(error))
        error = _hindrance(inspect(path), self._manner(address.name), visible_line(str(address)))
        if error is not None:
            return Failed(error.kind, str(error))
        with self._changing:
            if path not in self._residents:
                if not self._residents and self._unload_after_s is not None:
                    threading.Thread(target=self._unload_idle, name="engine idle", daemon=True).start()
                self._residents[path] = Resident(
                    path, lambda manner: self._choose_place(path, manner), lambda: self._manner(address.name)
                )
                self._names[path] = address
            return self._residents[path]

    def _unload_idle(self) -> None:
        """Gives back, now and then, the memory of models that nobody has asked for a while."""
        limit = self._unload_after_s
        assert limit is not None
        while not self._closed.wait(min(limit / 4, _IDLE_POLL_S)):
            with self._changing:
                residents = list(self._residents.values())
            for resident in residents:
                resident.unload_if_idle(limit)

    def _choose_place(self, path: Path, manner: Manner) -> Placement:
        from ..sensors.placement import free_gpus, free_npus

        with self._placing:
            with self._changing:
                residents = list(self._residents.values())
            for resident in residents:
                # Else its memory would count as taken, and this model go to the processor.
                resident.wait_for_end(GRACE_S)
            kind: Literal["gpu", "npu"] = "gpu"
            found = free_gpus()
            # torch itself knows no NPU.
            if not found and importlib.util.find_spec("torch_npu") is not None:
                kind, found = "npu", free_npus()
            if not found:
                self._choices.pop(path, None)
                return CPU
            free = {gpu.device: gpu.free_bytes for gpu in found}
            gpus = [
                Gpu(gpu.device, gpu.free_bytes - self._promised(gpu.device, free, path), kind, gpu.is_part)
                for gpu in found
            ]
            needed = gpu_bytes(inspect(path), quantize=manner.quantize)
            placement = place(gpus, needed)
            self._choices[path] = _Choice(placement, needed // max(len(placement.gpus), 1), free)
            return placement

    def _promised(self, device: str, free: Mapping[str, int], path: Path) -> int:
        """Bytes of a GPU that models which are being loaded now will take, but haven't taken yet."""
        with self._changing:
            loading = [other for other in self._residents.values() if other.path != path and other.is_loading]
        chosen = [self._choices[other.path] for other in loading if other.path in self._choices]
        here = [choice for choice in chosen if device in choice.placement.gpus]
        taken = max((choice.free[device] for choice in here), default=0) - free[device]
        return max(sum(choice.needed for choice in here) - max(taken, 0), 0)


def _hindrance(checkpoint: Checkpoint, manner: Manner, model: str) -> EngineError | None:
    """Why there is no use in starting a process for the model; None if there may be."""
    if checkpoint.obstacle is not None:
        return EngineError("engine.not_usable", model=model, problem=str(checkpoint.obstacle))
    missing = missing_package(checkpoint.path)
    if missing is not None:
        return EngineError("engine.not_installed", model=model, package=missing)
    if manner.quantize is not None:
        if checkpoint.quantisation is not None or checkpoint.path.is_file():
            return EngineError("engine.packed_already", model=model, stored=checkpoint.stored_as or GGUF)
        if importlib.util.find_spec("bitsandbytes") is None:
            return EngineError("engine.no_bitsandbytes", model=model)
    return None


def missing_package(path: Path) -> str | None:
    """The first package that this engine needs for a model and that isn't installed."""
    needed = ["torch", "transformers", "accelerate", *(["gguf"] if path.is_file() else [])]
    return next((name for name in needed if importlib.util.find_spec(name) is None), None)


def _overlaid(model: Model, resident: Resident) -> Model:
    return msgspec.structs.replace(model, state=resident.state, problem=resident.problem or model.problem)


def _absolute(path: Path | str) -> Path:
    """One path for one model, however it was written; links are left as they are."""
    return Path(path).expanduser().absolute()
