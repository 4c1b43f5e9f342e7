"""Whether a model fits under vLLM, and why it takes so much there.

vLLM takes a fraction of the GPU's whole memory, whatever the model: the weights go in, and all that is left becomes KV
cache. So a 3B model takes 37 of 40 GB. The fraction must be free when it starts.
"""

from typing import TYPE_CHECKING, NamedTuple

from ...workbench.words import say
from ..local.checkpoint import Checkpoint
from ..local.fit import gibibytes, tokens_counted
from .sizing import MOST, OVERHEAD_BYTES, needs_of, on_gpus

if TYPE_CHECKING:
    from ..sensors.placement import FreeGpu


class VllmFit(NamedTuple):
    """What a model takes under vLLM on one GPU."""

    gpu: "FreeGpu"
    needed_bytes: int
    """At least: weights, the KV cache of one usual conversation, overhead."""
    flags: tuple[str, ...]
    """Of `vllm serve`, with which it starts beside what is there."""

    @property
    def default_bytes(self) -> int:
        """Taken if nothing is said."""
        return int(MOST * self.gpu.total_bytes)

    @property
    def fits(self) -> bool:
        """Whether so much is free that it starts at all."""
        return self.needed_bytes <= self.gpu.free_bytes

    def __str__(self) -> str:
        needed, free = gibibytes(self.needed_bytes), gibibytes(self.gpu.free_bytes)
        if not self.fits:
            return say("fit.vllm_no_room", needed=needed, free=free, gpu=self.gpu.name)
        return say(
            "fit.vllm",
            needed=needed,
            free=free,
            gpu=self.gpu.name,
            fraction=f"{MOST:.2f}",
            total=gibibytes(self.gpu.total_bytes),
            taken=gibibytes(self.default_bytes),
            flags=" ".join(self.flags),
        )


def vllm_fit(checkpoint: Checkpoint, gpu: "FreeGpu") -> VllmFit | None:
    """What the model takes under vLLM on this GPU; None if its size isn't known."""
    if not checkpoint.size_bytes:
        return None
    needed = checkpoint.size_bytes + checkpoint.kv.bytes(tokens_counted(checkpoint)) + OVERHEAD_BYTES
    return VllmFit(gpu, needed, on_gpus(needs_of(checkpoint), (), [gpu], 1, chosen=True).flags)
