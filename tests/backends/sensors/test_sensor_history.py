"""What is kept for the sparklines."""

from qiao.backends.sensors.history import History, Recorder, Track
from qiao.backends.sensors.snapshot import Gpu, Machine, Snapshot


def snapshot(second: int, *gpus: Gpu) -> Snapshot:
    return Snapshot(time=second, machine=Machine(cpu_percent=float(second), memory_used=second), gpus=gpus)


def test_nothing_yet() -> None:
    assert Recorder().history() == History()


def test_the_last_samples_oldest_first() -> None:
    recorder = Recorder(length=3)
    for second in range(5):
        recorder.add(snapshot(second, Gpu(index=0, uuid="GPU-a", utilization=second * 10, memory_used=second)))
    history = recorder.history()
    assert history.machine == Track((2.0, 3.0, 4.0), (2, 3, 4))
    assert history.gpus == {"GPU-a": Track((20, 30, 40), (2, 3, 4))}


def test_what_a_sample_lacks_is_none() -> None:
    recorder = Recorder()
    recorder.add(snapshot(0, Gpu(index=0, utilization=5)))
    recorder.add(snapshot(1, Gpu(index=0, memory_used=7)))
    assert recorder.history().gpus == {"0": Track((5, None), (None, 7))}


def test_a_gpu_that_is_gone_takes_its_history_with_it() -> None:
    recorder = Recorder()
    recorder.add(snapshot(0, Gpu(index=0, uuid="GPU-a"), Gpu(index=1, uuid="GPU-b")))
    recorder.add(snapshot(1, Gpu(index=1, uuid="GPU-b")))
    assert list(recorder.history().gpus) == ["GPU-b"]
    assert len(recorder.history().gpus["GPU-b"].memory) == 2


def test_it_keeps_two_minutes_of_seconds() -> None:
    recorder = Recorder()
    for second in range(200):
        recorder.add(snapshot(second))
    assert recorder.history().machine.memory == tuple(range(80, 200))
