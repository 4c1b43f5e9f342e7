"""The values that the sensors hand out."""

import pytest

from qiao.backends.sensors.snapshot import Gpu, Machine, Snapshot, short_gpu_name


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("NVIDIA A100-SXM4-80GB", "A100 80G"),
        ("NVIDIA A100 80GB PCIe", "A100 80G"),
        ("NVIDIA A100-PCIE-40GB", "A100 40G"),
        ("NVIDIA H100 80GB HBM3", "H100 80G"),
        ("NVIDIA H100 PCIe", "H100"),
        ("NVIDIA H200", "H200"),
        ("NVIDIA H20-3e", "H20 3e"),
        ("NVIDIA GB10", "GB10"),
        ("Tesla V100-SXM2-32GB", "V100 32G"),
        ("Tesla T4", "T4"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "RTX 4090"),
        ("NVIDIA GeForce RTX 3060 Ti", "RTX 3060 Ti"),
        ("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada"),
        ("NVIDIA A100-SXM4-80GB MIG 3g.40gb", "3g.40gb"),
        ("NVIDIA", "NVIDIA"),
    ],
)
def test_short_names(name: str, short: str) -> None:
    assert short_gpu_name(name) == short
    assert Gpu(index=0, name=name).short_name == short


def test_fractions_need_both_figures() -> None:
    assert Gpu(index=0, memory_used=1, memory_total=4).memory_fraction == 0.25
    assert Gpu(index=0, memory_used=1).memory_fraction is None
    assert Gpu(index=0, memory_used=0, memory_total=0).memory_fraction is None
    assert Machine(memory_total=4).memory_fraction is None


def test_the_busiest_gpu() -> None:
    idle, busy, split = (Gpu(index=i, utilization=value) for i, value in enumerate((0, 83, None)))
    assert Snapshot(time=0, gpus=(idle, busy, split)).busiest == busy
    assert Snapshot(time=0, gpus=(idle, split)).busiest == idle
    assert Snapshot(time=0, gpus=(split,)).busiest is None
    assert Snapshot(time=0).busiest is None
