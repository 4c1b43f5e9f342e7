"""What can go wrong with a model on this machine: an entry of the word catalogue, and the kind of failure it is."""

from ...workbench.errors import QiaoError
from ...workbench.seam import FailureKind

KINDS: dict[str, FailureKind] = {
    "engine.not_installed": "missing_extra",
    "engine.package_missing": "missing_extra",
    "engine.no_bitsandbytes": "missing_extra",
    "engine.packed_already": "unloadable",
    "engine.unknown_architecture": "unloadable",
    "engine.not_usable": "unloadable",
    "engine.remote_code": "unloadable",
    "engine.not_loaded": "unloadable",
    "engine.template": "invalid_request",
    "engine.empty_prompt": "invalid_request",
    "engine.extra_unknown": "invalid_request",
    "engine.extra_refused": "invalid_request",
    "engine.extra_wrong": "invalid_request",
    "engine.too_long": "context_too_long",
    "engine.no_room": "out_of_memory",
    "engine.gpu_unusable_no_room": "out_of_memory",
    "engine.memory_loading": "out_of_memory",
    "engine.memory_answering": "out_of_memory",
    "engine.broke": "engine_died",
    "engine.not_started": "engine_died",
    "engine.died_killed": "engine_died",
    "engine.died_signal": "engine_died",
    "engine.died_exit": "engine_died",
    "engine.died_exit_said": "engine_died",
    "engine.cancelled": "engine_died",
}


class EngineError(QiaoError):
    """A request that the local engine can't answer. Its key decides what kind of failure it is."""

    @property
    def kind(self) -> FailureKind:
        return KINDS[self.key]


def first_line(error: BaseException) -> str:
    """What an exception says, cut to one sentence of at most 200 characters; its class, if it says nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return text if len(text) <= 200 else text[:199] + "…"
