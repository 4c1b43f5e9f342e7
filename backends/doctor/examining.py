"""All that is looked at, at once and each within its time, in the order in which a person reads it."""

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from ...workbench.config import Config
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..sensors.driver import nvidia_driver
from .accelerators import look_at_accelerators
from .disk import look_at_disk
from .finding import Finding
from .keyring_backend import look_at_keyring
from .packages import look_at_packages, look_at_python
from .surroundings import look_at_environment
from .terminal import look_at_terminal, terminal_size
from .tmux import look_at_tmux
from .torch_build import look_at_torch
from .vllm_install import look_at_vllm

Area = Literal["programs", "devices", "disk", "terminal", "environment", "settings"]


class Look(NamedTuple):
    """One thing to be looked at."""

    area: Area
    name: str
    """For programs, and for the line that says that it took too long."""
    look: Callable[[], list[Finding]]
    limit_s: float


class Seen(NamedTuple):
    """What one look brought."""

    area: Area
    findings: list[Finding]


def looks(config: Config, warnings: Sequence[str], environ: Mapping[str, str] = os.environ) -> list[Look]:
    """Everything that is looked at.

    Args:
        config: the person's settings.
        warnings: what is wrong with their file.
        environ: our environment.
    """
    return [
        Look("programs", "python", look_at_python, 5),
        Look("programs", "torch", lambda: look_at_torch(nvidia_driver()), 75),
        Look("programs", "packages", look_at_packages, 10),
        Look("programs", "vllm", lambda: look_at_vllm(config.vllm.command, environ), 30),
        Look("programs", "keyring", look_at_keyring, 15),
        Look("devices", "devices", lambda: look_at_accelerators(nvidia_driver(), environ), 30),
        Look("disk", "disk", lambda: look_at_disk(environ), 10),
        Look("terminal", "terminal", lambda: look_at_terminal(environ, terminal_size()), 5),
        Look("terminal", "tmux", lambda: look_at_tmux(environ), 12),
        Look("environment", "environment", lambda: look_at_environment(environ), 5),
        Look("settings", "settings", lambda: look_at_settings(warnings), 5),
    ]


def look_at_settings(warnings: Sequence[str]) -> list[Finding]:
    """What reading the settings complained about."""
    title = "config.toml"
    if not warnings:
        return [Finding("config", title, "ok", say("doctor.config_fine"))]
    return [Finding("config", title, "warn", visible_line(warning)) for warning in warnings]


def examine(everything: Sequence[Look]) -> Iterator[Seen]:
    """Looks at everything at once, and hands out what was seen in the given order.

    A driver or a disk that hangs costs its own look only: that is given up, and said.
    """
    begun = time.monotonic()
    running = [(one, _begin(one)) for one in everything]
    for one, answers in running:
        left = begun + one.limit_s - time.monotonic()
        try:
            yield Seen(one.area, answers.get(timeout=max(left, 0.01)))
        except queue.Empty:
            yield Seen(one.area, [Finding(one.name, one.name, "bad", say("doctor.hangs", seconds=round(one.limit_s)))])


def _begin(one: Look) -> "queue.SimpleQueue[list[Finding]]":
    answers: queue.SimpleQueue[list[Finding]] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put(one.look())
        except Exception as error:  # noqa: BLE001 - a report that ends midway helps nobody
            fact = say("doctor.failed", reason=visible_line(str(error)) or type(error).__name__)
            answers.put([Finding(one.name, one.name, "bad", fact)])

    threading.Thread(target=work, name=f"doctor {one.name}", daemon=True).start()
    return answers
