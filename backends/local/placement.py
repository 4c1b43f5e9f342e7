"""Which processors a model goes to. Pure: what is free and what is needed go in, a place comes out."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

WORKING_BYTES = 2**30
"""What CUDA's context, its libraries and the activations of one prompt take a GPU, measured 0.6 to 1.0 GiB."""


class Gpu(NamedTuple):
    """A GPU as it is found."""

    id: str
    """What CUDA_VISIBLE_DEVICES names it by: its UUID, which doesn't depend on an order, else its number."""
    free_bytes: int
    kind: Literal["gpu", "npu"] = "gpu"
    """npu: an Ascend one, whose id is a number for ASCEND_RT_VISIBLE_DEVICES."""
    is_part: bool = False
    """A MIG device: CUDA gives a process one of these, however many it names."""


class Placement(NamedTuple):
    """Where a model goes."""

    device: Literal["cpu", "gpu", "several"]
    gpus: tuple[str, ...] = ()
    """Ids of the GPUs that the child may see, the emptiest first."""
    kind: Literal["gpu", "npu"] = "gpu"
    """What these are."""

    @property
    def environment(self) -> dict[str, str]:
        """Variables that let the child see these and no others; on the CPU, no GPU."""
        if self.kind == "npu":
            # Its runtime wants rising numbers.
            return {"ASCEND_RT_VISIBLE_DEVICES": ",".join(sorted(self.gpus, key=int))}
        return {"CUDA_VISIBLE_DEVICES": ",".join(self.gpus)}

    @property
    def device_map(self) -> str | None:
        """transformers' `device_map`; None leaves the model on the CPU."""
        return {"cpu": None, "gpu": "npu:0" if self.kind == "npu" else "cuda:0", "several": "auto"}[self.device]


CPU = Placement("cpu")


def place(gpus: Sequence[Gpu], needed: int) -> Placement:
    """The emptiest GPU if it holds the model; else the fewest that hold it together; else the CPU.

    Args:
        gpus: those that may be used, all of one kind, with the memory that is free on each.
        needed: bytes, as of `fit.gpu_bytes`. Each further GPU takes WORKING_BYTES more.
    """
    emptiest = sorted(gpus, key=lambda gpu: -gpu.free_bytes)
    if emptiest and emptiest[0].free_bytes >= needed:
        return Placement("gpu", (emptiest[0].id,), emptiest[0].kind)
    whole = [gpu for gpu in emptiest if not gpu.is_part]
    free = 0
    for count, gpu in enumerate(whole, start=1):
        free += gpu.free_bytes
        if free >= needed + (count - 1) * WORKING_BYTES:
            return Placement("several", tuple(gpu.id for gpu in whole[:count]), gpu.kind)
    return CPU
