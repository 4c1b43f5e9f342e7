"""Where notices stand: at the foot of the screen, or below the title while what is being worked on is at the foot."""

from .conversation_actions import ConversationActions

ROOM = 6
"""Rows that notices may take: two of two lines each, and what parts them from the edge."""


class NoticePlace(ConversationActions):
    """Keeps notices off the line that is being written, and off the end of the selected message."""

    def refresh_conversation(self) -> None:
        super().refresh_conversation()
        if self.app._notifications:
            self.place_notices()

    def place_notices(self) -> None:
        """Brings them where they cover nothing that counts; those that do so already stay."""
        row = self._row()
        above = self.has_class("-notices-above")
        if row is None:
            above = False
        elif row >= self.size.height - ROOM:
            above = True
        elif row <= ROOM or not self.app._notifications:
            above = False
        self.set_class(above, "-notices-above")

    def _row(self) -> int | None:
        """The row of the screen that counts most."""
        if self.editor is not None and self.editor.has_focus:
            return self.editor.cursor_screen_offset.y
        row = self.transcript.last_row(self.session.shown_at)
        return None if row is None else row + self.transcript.region.y
