"""All that computes beside the processor: NVIDIA GPUs and Ascend NPUs, as one list."""

from .ascend import AscendSensor, npu_smi
from .nvidia import NvidiaSensor, Seen
from .snapshot import Machine


class Accelerators:
    """Both sensors behind one. Used by one thread.

    Args:
        nvidia, ascend: the sensors; the real ones when None, that of NPUs only where npu-smi is.
    """

    def __init__(self, nvidia: NvidiaSensor | None = None, ascend: AscendSensor | None = None) -> None:
        self._nvidia = nvidia or NvidiaSensor()
        if ascend is None and (program := npu_smi()) is not None:
            ascend = AscendSensor(program)
        self._ascend = ascend

    def read(self, now: float, machine: Machine) -> Seen:
        """The GPUs, then the NPUs. Where there are NPUs, nothing is said of GPUs that aren't there."""
        gpus = self._nvidia.read(now, machine)
        if self._ascend is None:
            return gpus
        npus = self._ascend.read(now, machine)
        said = [npus.problem] if not gpus.gpus else [gpus.problem, npus.problem]
        return Seen((*gpus.gpus, *npus.gpus), " ".join(filter(None, said)) or None)

    def close(self) -> None:
        """Gives both back."""
        self._nvidia.close()
        if self._ascend is not None:
            self._ascend.close()
