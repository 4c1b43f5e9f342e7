"""What the keys do to go from message to message, and through long ones."""

from .group import Actions


class Moving(Actions):
    """To other messages; the page comes along."""

    def do_next(self) -> None:
        self._step(1)

    def do_previous(self) -> None:
        self._step(-1)

    def _step(self, step: int) -> None:
        """To the next message; in one that is taller than the screen, further through it first."""
        session, transcript = self.session, self.transcript
        half = max(transcript.size.height // 2, 1)
        here = session.shown_at
        if session.index < 0:
            return
        cut = transcript.is_cut_below(here) if step > 0 else transcript.is_cut_above(here)
        if cut and transcript.scroll_lines(step * half):
            self.bench.refresh_hints()
            return
        session.step(step)
        self.bench.refresh_conversation()
        transcript.reveal(to_end=step < 0)
        if step > 0 and session.index == len(session.messages) - 1 and session.runs:
            transcript.follow()
        self.bench.refresh_hints()

    def do_first(self) -> None:
        self.session.step(-len(self.session.messages))
        self.bench.refresh_conversation()
        self.transcript.reveal()

    def do_last(self) -> None:
        self.session.step(len(self.session.messages))
        self.bench.refresh_conversation()
        self.transcript.reveal(to_end=True)
        if self.session.runs:
            self.transcript.follow()

    def do_page_down(self) -> None:
        self.transcript.scroll_lines(max(self.transcript.size.height - 2, 1))
        self.bench.refresh_hints()

    def do_page_up(self) -> None:
        self.transcript.scroll_lines(-max(self.transcript.size.height - 2, 1))
        self.bench.refresh_hints()
