"""The workbench screen: what it is made of, and how it is brought up to date. What its keys do stands beside it."""

import time
from collections.abc import Callable, Hashable
from functools import cached_property
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Static

from ...workbench.address import Address
from ...workbench.conversation import Conversation, Take
from ...workbench.document import Document
from ...workbench.errors import QiaoError
from ...workbench.sampling import Sampling
from ...workbench.seam import Request
from ...workbench.tags import tags_line
from ...workbench.variables import all_names
from ...workbench.visible import visible_line
from ...workbench.words import say
from .. import remembered
from ..aside import Late, put
from ..edited import Edited, EditedPage
from ..glyphs import glyphs
from ..host import Host
from ..inks import Inks
from ..jobs import Ended, Work
from ..journaling import Writing
from ..known_models import KnownModels
from ..open_before import Offer
from ..panes.hints import Hint, Hints
from ..panes.inline_input import InlineInput
from ..panes.machine import MachinePane
from ..panes.model_detail import free_bytes
from ..panes.model_tree import Part, Recent, Shown, doing
from ..panes.models import ModelsPane
from ..panes.picker_hints import picker_hints
from ..panes.rows import Rows
from ..panes.sampling import SamplingPane
from ..panes.title import Title
from ..session import Session
from ..transcript.blocks import SILENT_SECONDS, take_mark
from ..transcript.view import Transcript
from ..wrap import Line, Run

if TYPE_CHECKING:
    from ...workbench.library import Library
    from ..transcript.editor import MessageEditor

WIDE = 110
"""Columns from which on the side panes stand beside the conversation; below, they are overlays."""
SMALLEST = (40, 10)
ALWAYS = ("help", "quit")
"""Actions that the last line names however narrow it is."""
PAINTINGS_A_SECOND = 12
FOLDED_SECONDS = 3
"""How long the machine's figure at the foot of a small screen stands: it must not keep a line busy."""


class WorkbenchBase(KnownModels, Screen[None]):
    """Holds the panes, and shows the current session in them."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
    AUTO_FOCUS = "#transcript"

    def __init__(self, sessions: list[Session]) -> None:
        super().__init__()
        self.sessions = sessions
        self.current = 0
        self.know_nothing()
        self.editor: MessageEditor | None = None
        self._named: tuple[object, list[str]] = (None, [])
        """Messages, and the variables that they name: looked for once, since there may be thousands."""
        self._last_take: tuple[object, Take | None] = (None, None)
        """Messages, and the last take that is chosen in them."""
        self.edited: Edited | EditedPage | None = None
        """What the editor is open on."""
        self.offers: list[Offer] = []
        """Conversations to open again, what was closed last at the end."""
        self.drafts = 0
        """Conversations without a name, from earlier runs."""
        self.deciding: list[Document] = []
        """A page asks whether what is here or what is in the file stands."""
        self.draft_size: Line = ()
        """How many tokens the draft is, in words."""
        self.problem: str | None = None
        self._painted_tokens: object = None
        self._machine_words: tuple[float, str] = (0.0, "")

    # The parts

    @property
    def qiao(self) -> Host:
        return cast(Host, self.app)

    @cached_property
    def library(self) -> "Library":
        """What is known of conversation files; nothing, until something asks."""
        from ...workbench.library import Library

        return Library()

    @property
    def session(self) -> Session:
        return self.sessions[self.current]

    @property
    def transcript(self) -> Transcript:
        return self.query_one("#transcript", Transcript)

    @property
    def is_whole(self) -> bool:
        """Whether all its parts stand: not before the first paint, and no longer once it is being taken down."""
        return self.is_mounted and bool(self.query("#hints")) and bool(self.query("#transcript"))

    @property
    def inks(self) -> Inks:
        return self.qiao.inks

    def compose(self) -> ComposeResult:
        inks = self.inks
        if self.qiao.plain:
            self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow")]
        with Horizontal(id="house"):
            yield ModelsPane(inks, id="models")
            with Vertical(id="middle"):
                yield Title(inks, id="title")
                yield Transcript(inks, id="transcript")
            with Vertical(id="side"):
                yield SamplingPane(inks, id="sampling")
                yield MachinePane(inks, id="machine")
        yield Hints(inks, id="hints")
        if self.qiao.plain:
            yield Static(id="said", markup=False)

    def on_mount(self) -> None:
        # As Textual does after the first frame, which would be one of a wide screen.
        self.add_class("-wide" if self.app.size.width >= WIDE and not self.qiao.plain else "-narrow")
        if self.qiao.plain:
            self.add_class("-plain")
        keys = self.qiao.keys
        for binding in keys.bindings("conversation", "workbench"):
            self.transcript._bindings.key_to_bindings.setdefault(binding.key, []).append(binding)
        self.query_one("#model-rows", Rows).bind_too(keys.bindings("models"))
        for rows in self.query(Rows):
            rows.bind_too(keys.bindings("workbench"))
        self._ticker = self.set_interval(1 / PAINTINGS_A_SECOND, self._tick, pause=True)
        self.set_interval(1.0, self._look_at_machine)
        # The first sample comes soon after the first paint: not a second later.
        self.set_timer(0.3, self._look_at_machine)
        # All of it is in the first frame; where exactly the page stands is told once it has a size.
        self.refresh_all()
        self.transcript.reveal(to_end=True)
        self.call_after_refresh(self.transcript.reveal, to_end=True)

    # Bringing up to date

    def refresh_all(self) -> None:
        """Shows everything as it stands now."""
        self.refresh_conversation()
        self.refresh_models()
        self.refresh_sampling()

    def refresh_conversation(self) -> None:
        """Shows the messages, the title and the hints."""
        session = self.session
        session.show_as_page(self.is_page)
        lines = 0
        if self.editor is not None:
            room = max(self.transcript.size.height - 4, 1)
            lines = min(self.editor.lines_wanted, room)
        items = session.items(lines, self.draft_size)
        empty = () if items else self._empty_words()
        self.transcript.show(items, session.shown_at, session.conversation.variables, empty)
        self._place_editor()
        self.refresh_title()
        self.refresh_hints()
        if session.runs and not self._is_ticking:
            self._ticker.resume()

    @property
    def _is_ticking(self) -> bool:
        return self._ticker._active.is_set()

    def _empty_words(self) -> list[str]:
        words = [say("screen.welcome"), say("screen.welcome_keys")]
        if all(model.state == "absent" for model in self.models):
            titles = [visible_line(source.title) for source in self.sources if source.needs_key]
            words.append(say("screen.first_model", providers=say("picker.comma").join(titles[:3])))
        return [*words, say("screen.welcome_folder")]

    def refresh_title(self) -> None:
        session = self.session
        document = session.document
        title = visible_line(document.title)
        words: list[Run] = []
        if len(self.sessions) > 1:
            words.append(Run(f"{self.current + 1}/{len(self.sessions)} · ", "muted"))
        if others := sum(1 for other in self.sessions if other.runs and other is not session):
            words.append(Run(f"{say('screen.answering_elsewhere', n=others)} · ", "accent"))
        if tags := session.conversation.tags:
            words.append(Run(f"{visible_line(tags_line(tags, '#'))} · ", "faint"))
        if (context := self._context_words()) is not None:
            words += [Run(context, "muted"), Run(" · ", "muted")]
        if (problem := self.qiao.keeper.problem(document)) is not None:
            words.append(Run(visible_line(problem), "bad"))
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
        if (model := self.model(self.address)) is not None and model.kind == "base":
            words.append(Run(f" · {say('screen.is_base')}", "muted"))
        line: Line = tuple(words)
        self.query_one("#title", Title).show(title, line)

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
        length = next((m.context_length for m in self.models if str(m.address) == last.model), None)
        if length is None:
            return say("screen.tokens_used", used=used)
        return say("screen.tokens_of", used=used, length=f"{length:,}")

    def refresh_models(self) -> None:
        under_way = {job.key: doing(job.progress) for job in self.qiao.jobs.running}
        recent, folded = self.remembered.recent, self.remembered.folded
        shown = Shown(self.models, self.sources, self.address, recent, folded, under_way, self.looking)
        self.query_one("#models", ModelsPane).show(shown, free_bytes(self.qiao.sampler.latest))

    def refresh_sampling(self) -> None:
        conversation = self.session.conversation
        if self._named[0] is not conversation.messages:
            self._named = (conversation.messages, all_names(conversation.messages))
        defaults = self.defaults.get(self.address, Sampling())
        pane = self.query_one("#sampling", SamplingPane)
        unheeded = self.qiao.backends.unheeded(Request(self.address, (), conversation.sampling))
        pane.show(conversation.sampling, defaults, conversation.variables, self._named[1], unheeded)

    @property
    def address(self) -> Address:
        """The model that answers next: the conversation's own, else the default."""
        text = self.session.conversation.model
        if text is not None:
            try:
                return Address.parse(text)
            except QiaoError:
                return Address("?", text)
        try:
            return self.qiao.backends.default_address()
        except QiaoError:
            # Told at the start; without a model of its own, a conversation shows what is wrong with it.
            return Address("?", "?")

    @property
    def is_page(self) -> bool:
        """Whether the conversation is shown as one text: a base model answers next. Not under an open editor."""
        if self.edited is not None:
            return isinstance(self.edited, EditedPage)
        return (model := self.model(self.address)) is not None and model.kind == "base"

    def _tick(self) -> None:
        """While something streams: what has come since the last painting is shown."""
        session = self.session
        state = [(run.number, run.answer.tokens, run.answer.progress, run.answer.finished) for run in session.runs]
        waiting = any(run.answer.progress or run.answer.silence >= SILENT_SECONDS for run in session.runs)
        if not any(s.runs for s in self.sessions):
            self._ticker.pause()
        if state != self._painted_tokens or (waiting and int(time.monotonic() * 2) % 2):
            self._painted_tokens = state
            self.refresh_conversation()

    def _look_at_machine(self) -> None:
        if any(session.runs for session in self.sessions):
            # A model that is loading shows as such.
            self.qiao.look_for_models()
        if self.qiao.jobs.running:
            self.refresh_models()
        sampler = self.qiao.sampler
        snapshot = sampler.latest
        pane = self.query_one("#machine", MachinePane)
        if snapshot is not None and pane.display and pane.region:
            pane.show(snapshot, sampler.history(), self.qiao.backends.server_loads())
        self.refresh_hints()

    # Panes

    def open_pane(self, selector: str, rows: type[Rows]) -> None:
        """Unfolds a side pane, and gives it the keys."""
        for pane in self.query("#models, #side"):
            pane.set_class(f"#{pane.id}" == selector, "open")
        self.set_focus(self.query_one(rows))
        self.refresh_models()
        self.refresh_sampling()
        self.refresh_hints()

    def close_overlays(self) -> None:
        """Folds the side panes of a narrow screen, and goes back to the conversation."""
        for pane in self.query("#models, #side"):
            pane.remove_class("open")
        self.set_focus(self.transcript)
        self.refresh_hints()

    def begin(self, key: Hashable, work: Work, ended: Ended | None = None) -> None:
        """Begins something that takes its time, shown in this row of the picker, unless something is under way there.

        Args:
            ended: told of its end on the screen, with the error if there was one; not told if it was stopped.
        """
        if self.qiao.jobs.start(key, work, ended) is not None:
            self.refresh_models()
            self.refresh_hints()

    def fold(self, provider: str, folded: bool) -> None:
        """Puts the models of this provider out of sight in the picker, or shows them; the next run does so too."""
        self.remembered = self.remembered.with_fold(provider, folded)
        remembered.save(self.remembered)
        self.refresh_models()

    # Hints

    def refresh_hints(self) -> None:
        hints, state = self._hints(), self._state_words()
        pinned = len(ALWAYS) if hints[-1:] == self._action_hints(ALWAYS[-1]) else 0
        self.query_one("#hints", Hints).show(hints, state, pinned)

    def _hints(self) -> list[Hint]:
        focused = self.focused
        if self.size.width and (self.size.width < SMALLEST[0] or self.size.height < SMALLEST[1]):
            return [Hint("!", say("screen.too_small"))]
        if focused is not None and focused is self.editor:
            return self._action_hints("leave_editor", "run_from_editor", "role_in_editor", "split")
        if isinstance(focused, InlineInput):
            words = {"enter": "hint_done", "esc": "hint_back"}
        elif focused is not None and focused.id == "model-rows":
            return self._picker_hints()
        elif focused is not None and focused.id == "sampling-rows":
            words = {"enter": "hint_type", "← →": "hint_step", "d": "hint_unset", "esc": "hint_back"}
        else:
            return self._action_hints(*self._likely_actions(), *ALWAYS)
        return [Hint(key, say(f"screen.{word}")) for key, word in words.items()]

    def _picker_hints(self) -> list[Hint]:
        key = self.query_one(ModelsPane).selected_key
        address = key.address if isinstance(key, Recent) else key
        model = self.model(address) if isinstance(address, Address) else None
        source = self.source(key.provider) if isinstance(key, Part) else None
        unknown = source is not None and self.is_unknown(source.provider)
        busy = self.qiao.jobs.of(address) is not None
        managed = address in [server.address for server in self.qiao.backends.servers()]
        enter, own, esc = picker_hints(key, model, source, managed=managed, unknown=unknown, busy=busy)
        return [
            Hint("enter", say(f"screen.{enter}")),
            *self._action_hints(*own),
            Hint("esc", say(f"screen.{esc}")),
            *self._action_hints("help"),
        ]

    def _likely_actions(self) -> list[str]:
        session = self.session
        message = session.message
        stop = ["stop"] if session.runs else []
        if message is None:
            return ["add_below", *(["reopen"] if self.offers else []), "open", "models", "sampling"]
        end = ["models", "sampling", "undo"]
        if message.role == "assistant":
            takes = ["previous_take", "next_take", "compare", "star"] if len(message.takes) > 1 else []
            return [*stop, "run", "edit", "add_below", *takes, "continue", "seen", "role", *end]
        return [*stop, "run", "edit", "add_below", "role", "seen", *end]

    def _action_hints(self, *action_ids: str) -> list[Hint]:
        keys = self.qiao.keys
        return [Hint(shown[0], say(f"actions.{id}")) for id in action_ids if (shown := keys.shown(id))]

    def _state_words(self) -> str:
        """What the folded panes would show, and that there is more below."""
        words: list[str] = []
        message = self.session.message if self.session.page is not None and self.editor is None else None
        if message is not None and (mark := take_mark(message, coming=self.session.run_of(message.uid) is not None)):
            words.append(mark)
        if self.transcript.more_below:
            words.append(f"{glyphs.more} {say('screen.more_below')}")
        # A figure that changes by itself would be read out again and again.
        if self.has_class("-narrow") and not self.qiao.plain and (machine := self._folded_machine()):
            words.append(machine)
        return " · ".join(words)

    def _folded_machine(self) -> str:
        since, words = self._machine_words
        snapshot = self.qiao.sampler.latest
        if snapshot is None or (words and time.monotonic() - since < FOLDED_SECONDS):
            return words
        busiest = snapshot.busiest
        if busiest is not None:
            words = f"{busiest.kind.upper()} {busiest.utilization:3d}%"
        elif snapshot.machine.cpu_percent is not None:
            words = f"CPU {snapshot.machine.cpu_percent:3.0f}%"
        self._machine_words = time.monotonic(), words
        return words

    # Conversations

    def go_to(self, number: int) -> None:
        """Shows another of the open conversations."""
        self.close_editor()
        self.current = number
        self.set_focus(self.transcript)
        self.refresh_all()
        self.transcript.reveal(to_end=True)

    # The editor

    def _place_editor(self) -> None:
        editor = self.editor
        if editor is None:
            return
        region = self.transcript.body_region(self.session.shown_at)
        if region is None:
            return
        region = region.translate(self.transcript.region.offset - self.query_one("#middle").region.offset)
        if (editor.styles.offset, editor.styles.width, editor.styles.height) != (
            region.offset,
            region.width,
            region.height,
        ):
            editor.styles.offset = region.offset
            editor.styles.width = region.width
            editor.styles.height = region.height
        self.qiao.place_cursor(editor)

    def draft_of(self, session: Session) -> Writing | None:
        """What is being written in this conversation."""
        editor, edited = self.editor, self.edited
        if editor is None or edited is None or edited.session is not session:
            return None
        return edited.writing(editor.long_document.last_edit, editor.draft_as_it_is())

    def close_editor(self) -> None:
        """The draft becomes one undo step."""
        editor, edited = self._take_editor()
        if editor is None or edited is None:
            return
        self.put_late(lambda session: edited._replace(session=session).keep(editor.draft), edited.session, show=True)
        self.set_focus(self.transcript)
        self.refresh_all()
        self.transcript.reveal()

    def put_late(self, work: Late, session: Session, *, show: bool = False) -> None:
        """Puts what was begun a while ago into its conversation, as `aside.put` does, and says so.

        Args:
            show: if it goes into a copy, that is shown in place of its conversation.
        """
        notice, where = put(work, session, self.sessions)
        if show and session is self.session:
            self.current = self.sessions.index(where)
        if notice is not None:
            self.qiao.tell(say(notice, title=visible_line(session.document.title)))

    def _take_editor(self) -> "tuple[MessageEditor | None, Edited | EditedPage | None]":
        """The editor off the screen, and what it was open on; the draft is the caller's to keep."""
        editor, edited = self.editor, self.edited
        self.editor = self.edited = None
        if edited is not None:
            edited.session.editing = None
        if editor is not None:
            if editor.has_focus:
                self.set_focus(self.transcript)
            editor.remove()
        return editor, edited

    def edit_change(self, label: str, change: Callable[[Conversation], Conversation]) -> None:
        """One undo step of the current document, shown."""
        self.session.change(change(self.session.conversation), label)
        self.refresh_all()

    def guarded(self, work: Callable[[], object]) -> None:
        """Runs `work()`; an error that a person can act on becomes a notice."""
        try:
            work()
        except QiaoError as error:
            self.qiao.tell(str(error), error=True)
