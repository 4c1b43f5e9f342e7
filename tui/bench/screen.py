"""The workbench: models, the conversation, sampling and machine on one screen.

The screen holds its parts and the open conversations, brings what is shown up to date, and hands on what happens. The
groups in `actions/` carry out what the keys ask for; the parts beside this file say what is said around the
conversation.
"""

import time
from collections.abc import Callable, Hashable
from functools import cached_property
from typing import TYPE_CHECKING, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Input, Static

from ...workbench.address import Address
from ...workbench.conversation import Conversation
from ...workbench.errors import QiaoError
from ...workbench.sampling import Sampling
from ...workbench.seam import Request
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..actions.closing import Closing
from ..actions.copying import Copying
from ..actions.editing import Editing
from ..actions.exchange import Exchange
from ..actions.files import Files
from ..actions.finding import Finding
from ..actions.folding import Folding
from ..actions.group import Actions
from ..actions.guide import Guide
from ..actions.jumping import Jumping
from ..actions.marking import Marking
from ..actions.moving import Moving
from ..actions.page import PageActions
from ..actions.panes import Panes
from ..actions.picking import Picking
from ..actions.running import Running
from ..actions.serving import Serving
from ..actions.table import BY_ID, WRITING
from ..actions.takes import Takes
from ..actions.whole_file import WholeFile
from ..host import Host
from ..jobs import Ended, Work
from ..look.inks import Inks
from ..panes.hints import Hints
from ..panes.machine import MachinePane
from ..panes.model_detail import free_bytes
from ..panes.model_tree import Shown, doing
from ..panes.models import ModelRows, ModelsPane
from ..panes.rows import Rows
from ..panes.sampling import SamplingPane, SamplingRows
from ..panes.title import Title
from ..sessions.aside import Late, put
from ..sessions.session import Session
from ..transcript.blocks import SILENT_SECONDS
from ..transcript.view import Transcript
from .announcing import Announcing
from .draft_size import DraftSize
from .drafting import Drafting
from .edited import EditedPage
from .empty_page import empty_words
from .known_models import KnownModels
from .last_line import LastLine
from .notice_place import NoticePlace
from .title_line import TitleLine

if TYPE_CHECKING:
    from ...workbench.library import Library
    from ..transcript.editor import MessageEditor

WIDE = 110
"""Columns from which on the side panes stand beside the conversation; below, they are overlays."""
PAINTINGS_A_SECOND = 12
BESIDE_EDITOR = frozenset({"palette", "help", "repaint"})
"""Actions that leave an open editor alone."""


class WorkbenchScreen(Screen[None]):
    """Holds the panes, and shows the current session in them."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
    AUTO_FOCUS = "#transcript"

    def __init__(self, sessions: list[Session]) -> None:
        super().__init__()
        self.sessions = sessions
        self.current = 0
        self.known = KnownModels()
        self._painted_tokens: object = None
        self._to_ask: list[Callable[[], object]] = []
        """Questions that nobody asked for, which wait until nobody types."""
        # What it says beside the conversation.
        self.drafting = Drafting(self)
        self.draft_size = DraftSize(self)
        self.title_line = TitleLine(self)
        self.last_line = LastLine(self)
        self.announcing = Announcing(self)
        self.notice_place = NoticePlace(self)
        # What the keys do.
        self.moving = Moving(self)
        self.jumping = Jumping(self)
        self.finding = Finding(self)
        self.folding = Folding(self)
        self.editing = Editing(self)
        self.page = PageActions(self)
        self.marking = Marking(self)
        self.copying = Copying(self)
        self.running = Running(self)
        self.takes = Takes(self)
        self.panes = Panes(self)
        self.picking = Picking(self)
        self.serving = Serving(self)
        self.files = Files(self)
        self.exchange = Exchange(self)
        self.whole_file = WholeFile(self)
        self.closing = Closing(self)
        self.guide = Guide(self)
        self._carried_out_by = {
            action_id: carry_out
            for part in vars(self).values()
            if isinstance(part, Actions)
            for action_id, carry_out in part.by_id().items()
        }

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
    def editor(self) -> "MessageEditor | None":
        """The one that is open."""
        return self.drafting.editor

    @property
    def is_whole(self) -> bool:
        """Whether all its parts stand: not before it is mounted, and no longer once it is being taken down."""
        return self.is_mounted and self.display

    @property
    def is_at_rest(self) -> bool:
        """Whether nobody types: a question that nobody asked for would take the next letter for its answer."""
        return self.editor is None and self.app.screen is self and not isinstance(self.focused, Input)

    def when_at_rest(self, ask: Callable[[], object]) -> None:
        """Has a question asked that nobody asked for: now, or once nobody types."""
        self._to_ask.append(ask)
        self._ask()

    def _ask(self) -> None:
        while self._to_ask and self.is_at_rest:
            self._to_ask.pop(0)()

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
                yield MachinePane(inks, plain=self.qiao.plain, id="machine")
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
        self.ticker = self.set_interval(1 / PAINTINGS_A_SECOND, self._tick, pause=True)
        self.set_interval(1.0, self._look_at_machine)
        # The first sample comes soon after the first paint: not a second later.
        self.set_timer(0.3, self._look_at_machine)
        # All of it is in the first frame; where exactly the page stands is told once it has a size.
        self.refresh_all()
        self.transcript.reveal(to_end=True)
        self.call_after_refresh(self.transcript.reveal, to_end=True)

    # Carrying out

    def action_do(self, action_id: str) -> None:
        """Carries out an action of the table; what goes wrong is said, and nothing is lost."""
        if BY_ID[action_id].where not in WRITING and action_id not in BESIDE_EDITOR:
            # Through the palette, or by the mouse: a draft is kept before anything else happens.
            self.drafting.close()
        self.guarded(self._carried_out_by[action_id])
        self.guide.go_on(action_id if self.app.screen is not self else None)

    def carries_out(self, action_id: str) -> bool:
        """Whether there is something that does it."""
        return action_id in self._carried_out_by

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "do" or self.carries_out(str(parameters[0]))

    def guarded(self, work: Callable[[], object]) -> None:
        """Runs `work()`; an error that a person can act on becomes a notice."""
        try:
            work()
        except QiaoError as error:
            self.qiao.tell(str(error), error=True)

    def took(self, event: events.Event) -> bool:
        """Whether this was meant for the letters of jump mode, and is dealt with."""
        return self.jumping.took(event)

    # What happens in its parts

    @on(Transcript.Clicked)
    def _select_clicked(self, event: Transcript.Clicked) -> None:
        if self.editor is None:
            self.session.selected = event.uid
            self.refresh_conversation()

    @on(Transcript.Moved)
    def _editor_moves_along(self) -> None:
        self.drafting.place()

    def on_message_editor_grown(self) -> None:
        if self.editor is not None:
            self.drafting.show()

    def on_text_area_changed(self) -> None:
        self.draft_size.count_soon()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.guarded(lambda: self.editing.take_pasted(event.text))

    def on_mouse_down(self) -> None:
        self.jumping.leave()

    @on(Rows.Chosen, "#model-rows")
    def _choose_model(self, event: Rows.Chosen) -> None:
        self.guarded(lambda: self.picking.choose(event.key))

    @on(ModelRows.Fold)
    def _fold_models(self, event: ModelRows.Fold) -> None:
        self.picking.fold_part(event.provider, event.folded)

    @on(ModelRows.Leave)
    def _leave_picker(self, event: ModelRows.Leave) -> None:
        self.picking.leave(event.key)

    @on(SamplingRows.Leave)
    def _leave_sampling(self) -> None:
        self.close_overlays()

    @on(SamplingPane.Set)
    def _set(self, event: SamplingPane.Set) -> None:
        self.panes.set(event.setting, event.text)

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
        items = session.items(lines, self.drafting.size)
        empty = () if items else empty_words(self)
        self.transcript.show(items, session.shown_at, session.conversation.variables, empty)
        self.drafting.place()
        self.refresh_title()
        self.refresh_hints()
        if session.runs and not self.ticker._active.is_set():
            self.ticker.resume()
        self.announcing.look()
        self.notice_place.look()
        self.guide.go_on()

    def refresh_title(self) -> None:
        self.title_line.refresh()

    def refresh_hints(self) -> None:
        self.last_line.refresh()

    def refresh_models(self) -> None:
        known = self.known
        under_way = {job.key: doing(job.progress) for job in self.qiao.jobs.running}
        recent, folded = known.remembered.recent, known.remembered.folded
        shown = Shown(known.models, known.sources, self.address, recent, folded, under_way, known.looking)
        self.query_one("#models", ModelsPane).show(shown, free_bytes(self.qiao.sampler.latest))

    def refresh_sampling(self) -> None:
        conversation = self.session.conversation
        defaults = self.known.defaults.get(self.address, Sampling())
        pane = self.query_one("#sampling", SamplingPane)
        unheeded = self.qiao.backends.unheeded(Request(self.address, (), conversation.sampling))
        pane.show(conversation.sampling, defaults, conversation.variables, self.session.variable_names, unheeded)

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
        if self.drafting.edited is not None:
            return isinstance(self.drafting.edited, EditedPage)
        return (model := self.known.model(self.address)) is not None and model.kind == "base"

    def _tick(self) -> None:
        """While something streams: what has come since the last painting is shown."""
        session = self.session
        state = [(run.number, run.answer.tokens, run.answer.progress, run.answer.finished) for run in session.runs]
        waiting = any(run.answer.progress or run.answer.silence >= SILENT_SECONDS for run in session.runs)
        if not any(s.runs for s in self.sessions):
            self.ticker.pause()
        if state != self._painted_tokens or (waiting and int(time.monotonic() * 2) % 2):
            self._painted_tokens = state
            self.refresh_conversation()

    def _look_at_machine(self) -> None:
        self._ask()
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
        self.known.keep(self.known.remembered.with_fold(provider, folded))
        self.refresh_models()

    # Conversations

    def go_to(self, number: int) -> None:
        """Shows another of the open conversations."""
        self.drafting.close()
        self.current = number
        self.set_focus(self.transcript)
        self.refresh_all()
        self.transcript.reveal(to_end=True)

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

    def edit_change(self, label: str, change: Callable[[Conversation], Conversation]) -> None:
        """One undo step of the current document, shown."""
        self.session.change(change(self.session.conversation), label)
        self.refresh_all()
