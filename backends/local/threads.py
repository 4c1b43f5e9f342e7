"""How many threads a model computes with on the CPU: as many as are of use while other programs want the cores too.

Every step of a model is some 300 parallel regions that wait for their slowest thread. When another program takes one
of two cores, two threads wait so much for each other that they are ten times slower than one (measured: 28 tokens a
second with two threads on an idle machine, 1 to 3 on a busy one, and 16 with one thread on either). So both are tried
now and then. A single token's numbers come out the same, to the bit, with any number of threads.

Decoding and prefill each have their own: what is best for the one needn't be for the other.
"""

from collections.abc import Callable
from typing import Literal

Arm = Literal[0, 1]

PROBE_STEPS = 2
"""Steps that a try of the other number takes; the faster one counts."""

FIRST_WAIT, LONGEST_WAIT = 32, 1024
"""Steps until the next try; twice as many after each one that brought nothing."""

SUDDEN = 3.0
"""So many times slower than lately, twice in a row: the machine has become busy."""


class Threads:
    """Chooses between a few threads and many, from how long each step takes.

    Args:
        cores: that this process may use. On more than two, one is left to others.
        set_number: makes the engine use so many.
    """

    def __init__(self, cores: int, set_number: Callable[[int], None]) -> None:
        self.numbers = (max(cores // 2, 1), cores if cores <= 2 else cores - 1)
        self._set_number = set_number
        self._preferred: Arm = 0
        self._using: Arm = 0
        self._seconds: list[float | None] = [None, None]
        """Of a step, lately, with either number."""
        self._samples: list[float] = []
        self._wait = FIRST_WAIT
        self._until_probe = PROBE_STEPS

    @property
    def number(self) -> int:
        """How many are in use."""
        return self.numbers[self._using]

    def begin(self) -> None:
        """Before steps of this kind, after others: sets the number again."""
        self._samples = []
        self._set_number(self.number)

    def step(self, seconds: float) -> None:
        """Takes in how long a step took: a token decoded, or a token's part of a slice of prefill."""
        if self.numbers[0] == self.numbers[1]:
            return
        self._samples = [*self._samples[-3:], seconds]
        if self._using != self._preferred:
            if len(self._samples) >= PROBE_STEPS:
                self._judge()
            return
        usual = self._seconds[self._using]
        slow = usual is not None and len(self._samples) > 1 and min(self._samples[-2:]) > SUDDEN * usual
        # Where few threads are slow, more would be slower.
        sudden = slow and self._using == 1
        self._until_probe -= 1
        if sudden or self._until_probe <= 0:
            self._seconds[self._using] = min(self._samples[-2:])
            if sudden:
                self._wait = FIRST_WAIT
            self._use(1 if self._using == 0 else 0)
        elif len(self._samples) == 4:
            self._seconds[self._using] = min(self._samples)

    def _judge(self) -> None:
        """Ends a try of the other number."""
        tried, known = min(self._samples), self._seconds[self._preferred]
        self._seconds[self._using] = tried
        if known is None or tried < 0.95 * known:
            self._preferred = self._using
            self._wait = FIRST_WAIT
        else:
            self._wait = min(self._wait * 2, LONGEST_WAIT)
        self._until_probe = self._wait
        self._use(self._preferred)

    def _use(self, arm: Arm) -> None:
        self._using = arm
        self._samples = []
        self._set_number(self.number)
