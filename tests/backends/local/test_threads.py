"""The number of threads follows what the machine has left, and costs little to find out."""

from qiao.backends.local.threads import PROBE_STEPS, Threads


def run(threads: Threads, seconds: dict[int, float], steps: int) -> list[int]:
    """So many tokens that take so long with each number of threads; which number each was computed with."""
    used: list[int] = []
    for _ in range(steps):
        used.append(threads.number)
        threads.step(seconds[threads.number])
    return used


IDLE = {1: 0.060, 2: 0.036}
BUSY = {1: 0.062, 2: 0.700}


def test_on_an_idle_machine_all_cores_are_used() -> None:
    told: list[int] = []
    threads = Threads(2, told.append)
    threads.begin()
    assert told == [1]
    used = run(threads, IDLE, 200)
    assert used[10:].count(1) <= 10
    assert threads.number == 2
    assert told[-1] == 2


def test_on_a_busy_machine_few_are_and_trying_gets_rare() -> None:
    used = run(Threads(2, lambda _: None), BUSY, 600)
    assert used[-50:] == [1] * 50
    assert used.count(2) <= 6 * PROBE_STEPS


def test_it_gives_way_within_some_tokens_when_the_machine_gets_busy_and_comes_back() -> None:
    threads = Threads(2, lambda _: None)
    run(threads, IDLE, 100)
    used = run(threads, BUSY, 60)
    assert used.count(2) <= 6
    used = run(threads, IDLE, 1200)
    assert used[-100:].count(2) >= 90


def test_one_core_is_left_to_others_where_there_are_several() -> None:
    assert Threads(16, lambda _: None).numbers == (8, 15)
    assert Threads(2, lambda _: None).numbers == (1, 2)
    single = Threads(1, lambda _: None)
    assert run(single, {1: 1.0}, 50) == [1] * 50
