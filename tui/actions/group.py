"""Actions are carried out by objects, a group of them each: `do_ID` is what the action of that id does."""

from collections.abc import Callable

from ...workbench.errors import QiaoError
from ..bench.part import BenchPart

BEGINNING = "do_"


class Actions(BenchPart):
    """A group of actions."""

    def by_id(self) -> dict[str, Callable[[], None]]:
        """What carries out each action of the group. What goes wrong is raised as a `QiaoError`."""
        names = (name for name in dir(self) if name.startswith(BEGINNING))
        return {name.removeprefix(BEGINNING): getattr(self, name) for name in names}

    def check_writable(self) -> None:
        """Raises a `QiaoError` if the file of the conversation can't be written."""
        if self.session.document.read_only:
            raise QiaoError("screen.is_read_only")

    def check_messages_are_seen(self) -> None:
        """Raises a `QiaoError` if the conversation is shown as one text."""
        if self.bench.is_page:
            raise QiaoError("page.for_messages")
