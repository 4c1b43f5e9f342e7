"""What is being done before the first token, told on stderr."""

import time
from shutil import get_terminal_size

from ..workbench.seam import Progress
from ..workbench.visible import visible_line
from ..workbench.words import say
from .cells import width
from .streams import Narration

MEGABYTE = 1_000_000
BAR_CELLS = 24
SLOW = frozenset({"fetching"})
"""The stages that are told in one plain line where no line can be rewritten: they take minutes, not seconds."""


class ProgressLine:
    """Shows the stages of one answer or one fetch."""

    def __init__(self, narration: Narration, model: str) -> None:
        self._narration = narration
        self._model = model
        self._stage: str | None = None
        self._begun = 0.0
        self._done_before = 0
        self._total = 0

    def show(self, progress: Progress) -> None:
        """Shows how far it is."""
        # What was here before isn't counted into the rate; how much there is may become known later.
        if progress.stage != self._stage or progress.total != self._total:
            begins = progress.stage != self._stage
            self._stage, self._total = progress.stage, progress.total
            self._begun, self._done_before = time.monotonic(), progress.done
            if begins:
                self._narration.clear()
            if progress.stage in SLOW and progress.total and not self._narration.can_rewrite:
                self._narration.note(f"{self._what()}{_size(progress.total)}")
            elif progress.stage == "retrying" and not self._narration.can_rewrite:
                self._narration.note(self._line(progress))
        self._narration.status(self._line(progress))

    def _what(self) -> str:
        return say(f"cli.stage_{self._stage}", model=self._model)

    def _line(self, progress: Progress) -> str:
        done, total = progress.done, progress.total
        parts = [self._what()]
        if progress.note and progress.stage != "fetching":
            parts.append(visible_line(progress.note))
        if progress.stage == "retrying":
            # A clock that runs out, not work that gets done.
            return "  ".join([*parts, say("cli.seconds_left", seconds=total - done)])
        if total:
            share = min(done / total, 1)
            parts += [bar(share), f"{share:4.0%}"]
        if progress.stage == "fetching":
            elapsed = time.monotonic() - self._begun
            rate = (done - self._done_before) / elapsed if elapsed > 1 else 0
            parts.append(f"{done / MEGABYTE:.1f}" + (f" / {total / MEGABYTE:.1f} MB" if total else " MB"))
            if rate > 0:
                parts.append(f"{rate / MEGABYTE:.1f} MB/s")
                if total:
                    parts.append(say("cli.seconds_left", seconds=round((total - done) / rate)))
            if progress.note:
                parts.append(visible_line(progress.note))
            if total and width("  ".join(parts)) >= get_terminal_size().columns:
                # The bar says what the numbers say.
                del parts[1]
        elif progress.stage == "prefill" and total:
            parts.append(say("cli.of_tokens", done=done, total=total))
        return "  ".join(parts)


def _size(total: int) -> str:
    return f" ({total / MEGABYTE:.0f} MB)" if total else ""


def bar(share: float) -> str:
    """A bar of blocks, `share` of it full."""
    full = round(share * BAR_CELLS)
    return "█" * full + "░" * (BAR_CELLS - full)
