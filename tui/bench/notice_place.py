"""Where notices stand: at the foot of the screen, or below the title while what is being worked on is at the foot."""

from .part import BenchPart

ROOM = 6
"""Rows that notices may take: two of two lines each, and what parts them from the edge."""


class NoticePlace(BenchPart):
    """Keeps notices off the line that is being written, and off the end of the selected message."""

    def look(self) -> None:
        """The conversation was shown anew."""
        if self.app._notifications:
            self.choose()

    def choose(self) -> None:
        """Brings them where they cover nothing that counts; those that do so already stay."""
        row = self._row()
        height = self.bench.size.height
        above = self.bench.has_class("-notices-above")
        if row is None:
            above = False
        elif row >= height - ROOM:
            above = True
        elif row <= ROOM or not self.app._notifications:
            above = False
        self.bench.set_class(above, "-notices-above")

    def _row(self) -> int | None:
        """The row of the screen that counts most."""
        if (editor := self.bench.editor) is not None and editor.has_focus:
            return editor.cursor_screen_offset.y
        row = self.transcript.last_row(self.session.shown_at)
        return None if row is None else row + self.transcript.region.y
