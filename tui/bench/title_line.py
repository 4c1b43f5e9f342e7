"""The line above the conversation: which one it is, how full the context is, whether all is saved."""

from typing import TYPE_CHECKING

from ...workbench.conversation import Take
from ...workbench.tags import tags_line
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..panes.title import Title
from ..text.wrap import Line, Run
from .part import BenchPart

if TYPE_CHECKING:
    from .screen import WorkbenchScreen


class TitleLine(BenchPart):
    """Says it of the conversation that is shown."""

    def __init__(self, bench: "WorkbenchScreen") -> None:
        super().__init__(bench)
        self._last_take: tuple[object, Take | None] = (None, None)
        """Messages, and the last take that is chosen in them."""

    def refresh(self) -> None:
        bench, session = self.bench, self.session
        document = session.document
        title = visible_line(document.title)
        problem = self.qiao.keeper.problem(document)
        words = [] if problem is None else [Run(f"{visible_line(problem)} · ", "bad")]
        if len(bench.sessions) > 1:
            words.append(Run(f"{bench.current + 1}/{len(bench.sessions)} · ", "muted"))
        if others := sum(1 for other in bench.sessions if other.runs and other is not session):
            words.append(Run(f"{say('screen.answering_elsewhere', n=others)} · ", "accent"))
        if tags := session.conversation.tags:
            words.append(Run(f"{visible_line(tags_line(tags, '#'))} · ", "faint"))
        if problem is not None:
            words.append(Run(say("screen.unsaved"), "bad"))
        elif document.read_only:
            words.append(Run(say("screen.read_only"), "warn"))
        elif document.is_new and not document.is_untitled:
            words.append(Run(say("screen.new_file"), "muted"))
        elif document.unsaved:
            words.append(Run(say("screen.unsaved"), "muted"))
        elif document.is_untitled:
            words.append(Run(say("screen.untitled"), "muted"))
        else:
            words.append(Run(say("screen.saved"), "muted"))
        if (model := bench.known.model(bench.address)) is not None and model.kind == "base":
            words.append(Run(f" · {say('screen.is_base')}", "muted"))
        if (context := self._context_words()) is not None:
            # Where there is no room for all, this is cut.
            words.append(Run(f" · {context}", "muted"))
        line: Line = tuple(words)
        bench.query_one("#title", Title).show(title, line)

    def _context_words(self) -> str | None:
        """How many tokens the conversation was at the last answer, of how many it may have."""
        messages = self.session.conversation.messages
        if self._last_take[0] is not messages:
            takes = (message.take for message in reversed(messages) if message.chosen is not None)
            self._last_take = messages, next(takes, None)
        last = self._last_take[1]
        usage = None if last is None else last.usage
        if last is None or usage is None or usage.prompt_tokens is None:
            return None
        tokens = usage.prompt_tokens + (usage.completion_tokens or 0)
        # With more written below, it is only about as many.
        used = f"{'' if messages[-1].take is last else '~'}{tokens:,}"
        length = next((m.context_length for m in self.bench.known.models if str(m.address) == last.model), None)
        if length is None:
            return say("screen.tokens_used", used=used)
        return say("screen.tokens_of", used=used, length=f"{length:,}")
