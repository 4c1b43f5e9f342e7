"""What of the messages is out of sight: thinking is folded until it is opened, a long text open until it is folded."""

from typing import NamedTuple


class Folds(NamedTuple):
    """How the messages of one conversation are folded. What it says of a text holds only if that is a long one."""

    thinking: frozenset[int] = frozenset()
    """The uids of messages whose thinking is open."""
    turned: frozenset[int] = frozenset()
    """The uids of messages whose text is the other way than `below` says."""
    below: int = 0
    """Texts of messages with lower uids are folded: uids only grow, so that what is written later stays open."""
    unwatched: frozenset[int] = frozenset()
    """The uids of messages whose thinking is folded even while nothing else of the answer is there yet."""

    def hides_thinking(self, uid: int) -> bool:
        return uid not in self.thinking

    def hides_text(self, uid: int) -> bool:
        return (uid in self.turned) != (uid < self.below)

    def with_thinking(self, uid: int, *, folded: bool) -> "Folds":
        return self._replace(thinking=self.thinking - {uid} if folded else self.thinking | {uid})

    def watched(self, uid: int) -> "Folds":
        """The thinking that streams in shown, or out of sight."""
        return self._replace(unwatched=self.unwatched ^ {uid})

    def with_text(self, uid: int, *, folded: bool) -> "Folds":
        turned = folded != (uid < self.below)
        return self._replace(turned=self.turned | {uid} if turned else self.turned - {uid})

    def with_all(self, *, below: int) -> "Folds":
        """Every text folded whose message has a lower uid than this, all others open; 0: all are open."""
        return self._replace(turned=frozenset(), below=below)

    def stepped(self, uid: int, *, thinks: bool, is_long: bool) -> "Folds":
        """The next way to see a message that can be folded.

        Thinking and a long text together go round: the text alone, all of it, neither.
        """
        if not thinks:
            return self.with_text(uid, folded=is_long and not self.hides_text(uid))
        if not self.hides_thinking(uid):
            return self.with_thinking(uid, folded=True).with_text(uid, folded=is_long)
        if is_long and self.hides_text(uid):
            return self.with_text(uid, folded=False)
        return self.with_thinking(uid, folded=False)
