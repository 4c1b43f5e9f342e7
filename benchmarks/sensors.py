"""What the sensors cost: the share of a core that the sampling thread takes, beside the same process without it.

Three processes at a time: idle; sampling this machine once a second; the same with the samples of eight GPUs played
in place of the driver, which shows this program's share where there is no GPU, but not the driver's.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from table import Budget, Row, Section

from qiao.backends.sensors.nvidia import NvidiaSensor
from qiao.backends.sensors.sampler import Sampler

BUDGET = Budget(1.0)
WARM_UP_S = 3.0
"""The first looks load psutil and pynvml, and ask for what is asked once."""
REPLAY = Path(__file__).parents[1] / "tests" / "backends" / "sensors" / "conftest.py"

VARIANTS = {
    "idle": "the same process, without sensors",
    "machine": "this machine, once a second",
    "replayed": "and eight GPUs, replayed",
}


class Measured(NamedTuple):
    """What one process saw."""

    cpu_percent: float
    """Of a core."""
    gpus: int


def eight_gpus() -> NvidiaSensor:
    """Eight GPUs with two processes each, from a sample of the tests."""
    spec = importlib.util.spec_from_file_location("replay", REPLAY)
    assert spec is not None
    assert spec.loader is not None
    replay = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(replay)
    nvml: Any = replay.Replay("h100")
    nvml.devices = [{**nvml.devices[0], "nvmlDeviceGetUUID": f"GPU-{index}"} for index in range(8)]
    return NvidiaSensor(nvml)


def measure(variant: str, seconds: float) -> Measured:
    """Runs one variant in this process, and takes the processor time of all its threads."""
    sampler = None if variant == "idle" else Sampler(1.0, gpus=eight_gpus() if variant == "replayed" else None)
    if sampler is not None:
        sampler.start()
    time.sleep(WARM_UP_S)
    begun, used = time.monotonic(), time.process_time()
    time.sleep(seconds)
    share = 100 * (time.process_time() - used) / (time.monotonic() - begun)
    snapshot = None if sampler is None else sampler.latest
    return Measured(share, len(snapshot.gpus) if snapshot else 0)


def measured(quick: bool) -> Section:
    """The rows."""
    seconds = 3.0 if quick else 20.0
    children = {
        variant: subprocess.Popen(
            [sys.executable, __file__, "--variant", variant, "--seconds", str(seconds)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for variant in VARIANTS
    }
    shares: dict[str, float] = {}
    for variant, child in children.items():
        output, _ = child.communicate()
        if child.returncode:
            raise RuntimeError(f"{variant}: the process failed")
        shares[variant] = Measured(*json.loads(output)).cpu_percent
    idle = shares.pop("idle")
    rows = [
        Row(f"sensors: {VARIANTS[variant]}, % of a core", share, idle, VARIANTS["idle"], BUDGET)
        for variant, share in shares.items()
    ]
    return Section("Sensors", rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", choices=VARIANTS, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    print(json.dumps(measure(options.variant, options.seconds)))
