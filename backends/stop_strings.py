"""Stop strings: an answer ends before the first of them, and nothing of them is shown, however the text arrives."""

from collections.abc import Sequence


class StopStrings:
    """Finds stop strings in text that comes in pieces, holding back only what may be the beginning of one.

    The stop string that is complete first ends the text; of two that are complete at once, the longer does. So the
    result doesn't depend on where the text is split.

    Args:
        stops: the strings; empty ones are ignored.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.found: str | None = None
        """The stop string that ended the text; from then on, all that is fed is dropped."""

    def feed(self, text: str) -> str:
        """Takes in the next piece, and returns what can be shown by now."""
        if self.found is not None:
            return ""
        self._held += text
        match = self._first_match()
        if match is not None:
            start, self.found = match
            shown, self._held = self._held[:start], ""
            return shown
        keep = self._possible_beginning()
        shown, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return shown

    def flush(self) -> str:
        """The text is over: what was held back after all."""
        shown, self._held = self._held, ""
        return shown

    def _first_match(self) -> tuple[int, str] | None:
        """Start and stop string of the match that is complete first."""
        matches = ((self._held.find(stop), stop) for stop in self._stops)
        ends = [(start + len(stop), start, stop) for start, stop in matches if start >= 0]
        if not ends:
            return None
        _, start, stop = min(ends)
        return start, stop

    def _possible_beginning(self) -> int:
        """How many characters at the end of what is held may begin a stop string."""
        longest = max((len(stop) for stop in self._stops), default=0)
        for size in range(min(longest - 1, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-size:]) for stop in self._stops):
                return size
        return 0
