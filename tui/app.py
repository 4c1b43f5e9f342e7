"""The app: what lives as long as the program does. The screen's own affairs are in `bench/` and `screens/`."""

import asyncio
import contextlib
import gc
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events
from textual.driver import Driver
from textual.message import Message as Event
from textual.widget import Widget

from ..backends.registry import Backends
from ..backends.sensors.sampler import Sampler
from ..workbench.answering import Answer
from ..workbench.config import Config
from ..workbench.config import load as load_config
from ..workbench.conversation import Message
from ..workbench.document import Document
from ..workbench.errors import QiaoError
from ..workbench.journal import folder as journal_folder
from ..workbench.rescuing import rescue_folder
from ..workbench.seam import Model, Source
from ..workbench.visible import visible, visible_line
from ..workbench.words import say
from .actions.table import Keys
from .bench.screen import WorkbenchScreen
from .jobs import Job, Jobs
from .keeping import journaling, leaving, meanwhile, open_before, recent_files
from .keeping.journaling import Journals
from .keeping.keeper import Keeper
from .keeping.open_before import OpenFiles
from .keys_in_order import SETTLE_SECONDS, KeysInOrder
from .look.color_depth import Depth
from .look.inks import Inks
from .look.theme_files import to_textual, variables
from .look.themes_here import themes_here
from .sessions.running import Run
from .sessions.session import Session

if TYPE_CHECKING:
    from textual.widgets import TextArea

    from ..workbench.exchange.exchanged import Imported

ENDING = (signal.SIGHUP, signal.SIGTERM)
"""Signals that end the program, with all that it holds saved."""
SWITCH_SECONDS = 0.0005
"""So long a thread that saves, streams or looks for models goes on while the screen wants its turn, which a key needs
several times. Python's own 5 ms would add up to something felt."""

COLLECT_AFTER = 20_000, 20, 10
"""Objects, then rounds, after which garbage is looked for; as Python comes, after 700 and 10: a prompt of ten thousand
messages on the screen would be gone through again and again, a fifth of a second each time."""


class QiaoApp(KeysInOrder, inherit_bindings=False):
    """Qiao's workbench.

    Args:
        sessions: the conversations that are open from the start, at least one.
        backends: what answers.
        config: the person's settings.
        run_at_once: the first conversation is run as soon as it is shown.
        touring: the tour is shown, unless there is work to show.
        imported: files of other formats, by name, of which the person is to choose conversations.
        warnings: what the person should know of the settings, a line each.
        depth: how many colours the terminal has.
        driver_class: for tests.
    """

    TITLE = "qiao"
    BINDINGS = []
    CSS_PATH = ["app.tcss", "bench/screen.tcss"]
    ENABLE_COMMAND_PALETTE = True

    class AnswerEnded(Event):
        """Posted by a run's thread."""

        def __init__(self, run: Run, answer: Answer) -> None:
            super().__init__()
            self.run = run
            self.answer = answer

    class ModelsFound(Event):
        """Posted by the thread that looks for models, and for where they come from."""

        def __init__(self, models: list[Model], sources: list[Source]) -> None:
            super().__init__()
            self.models = models
            self.sources = sources

    class JobEnded(Event):
        """Posted by a job's thread."""

        def __init__(self, job: Job) -> None:
            super().__init__()
            self.job = job

    def __init__(
        self,
        sessions: list[Session],
        backends: Backends,
        config: Config,
        *,
        run_at_once: bool = False,
        touring: bool = False,
        imported: "Sequence[tuple[str, Imported]]" = (),
        warnings: Sequence[str] = (),
        depth: Depth = "truecolor",
        driver_class: type[Driver] | None = None,
    ) -> None:
        self.themes, first, problems = themes_here(config.theme, depth, plain=config.plain)
        self._warnings = [*warnings, *problems]
        self.inks = Inks(first.colors)
        self._default_variables = variables(first)
        self.keys = Keys(config.keys)
        self.backends = backends
        self.config = config
        self.plain = config.plain
        self.sampler = Sampler()
        self.copied: Sequence[Message] = ()
        self.workbench = WorkbenchScreen(sessions)
        self.keeper = Keeper(
            lambda: [session.document for session in self.workbench.sessions],
            self.workbench.files.conflicted,
            self._notice,
            self._documents_changed,
        )
        self.journals = Journals(self._journal_failed)
        self.open_files = OpenFiles()
        self.jobs = Jobs(self._job_ended)
        self._run_at_once = run_at_once
        self._touring = touring
        self._imported = imported
        self._looking = threading.Lock()
        self._someone = True
        self._ends_early = False
        super().__init__(driver_class=driver_class)
        # Whatever stands on the screen, a dialog or an open editor, may have been written over.
        for key in self.keys.everywhere("repaint"):
            self._bindings.bind(key, "repaint", show=False, priority=True)
        for theme in self.themes:
            self.register_theme(to_textual(theme))
        self.theme = first.name
        self.animation_level = "none"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return self._default_variables

    def get_default_screen(self) -> WorkbenchScreen:
        return self.workbench

    def on_mount(self) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        if threading.current_thread() is threading.main_thread() and not self.is_headless:
            # A dropped SSH line must not cost a word.
            for number in ENDING:
                asyncio.get_running_loop().add_signal_handler(number, self.terminal_gone)
        if self._ends_early:
            self.terminal_gone()
        self.call_after_refresh(self._after_first_paint)

    def end_early(self) -> None:
        """It is to end, before it has begun: once it stands, so that it leaves the terminal as it found it."""
        self._ends_early = True

    def _after_first_paint(self) -> None:
        if not gc.isenabled():
            # What is here now stays: looking through it again and again would be felt while typing.
            gc.freeze()
            gc.set_threshold(*COLLECT_AFTER)
            gc.enable()
        self.sampler.start()
        self.run_worker(self.keeper.watch(), name="keeper")
        self.look_for_models()
        self._bring_back()
        self.set_interval(journaling.EVERY, self._journal)
        self._look_back(open_before.known())
        problems = [*self._warnings, *self.keys.problems]
        try:
            self.backends.default_address()
        except QiaoError as error:
            problems.append(str(error))
        for session in self.workbench.sessions:
            problems += session.document.notices
        recent_files.add(*(s.document.path for s in self.workbench.sessions if not s.document.is_untitled))
        if rescued := list(rescue_folder().glob("*.toml")):
            problems.append(say("screen.rescued", n=len(rescued), folder=visible_line(str(rescued[0].parent))))
        for problem in problems:
            self.tell(problem)
        for name, imported in self._imported:
            self.workbench.exchange.take_over(name, imported)
        if self._run_at_once:
            self.workbench.action_do("run")
        elif self._touring and not any(session.messages for session in self.workbench.sessions):
            self.workbench.action_do("tour")
        self.take_typed_ahead()

    def on_unmount(self) -> None:
        self.sampler.stop()

    # Words that aren't in a file yet

    def _journal(self) -> None:
        workbench = self.workbench
        for session in workbench.sessions:
            self.journals.look(session, workbench.drafting.draft_of(session))
        self.journals.settle()
        self.open_files.look([session.document for session in workbench.sessions])

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        """Gives the screen up to another program, which this thread then waits for. What still comes is kept."""

        def keep() -> None:
            for session in self.workbench.sessions:
                if session.document.unsaved:
                    # What is in the way is asked about when the screen is back.
                    with contextlib.suppress(QiaoError):
                        session.document.save()
            self._journal()

        with super().suspend(), meanwhile.doing(keep, journaling.EVERY):
            yield

    def _look_back(self, paths: Sequence[Path]) -> None:
        """Finds out, in a thread, how what was open when Qiao was last left here is called."""

        def look() -> None:
            before = open_before.look(paths)
            self.call_later(self.workbench.closing.before_known, before)

        threading.Thread(target=look, name="open-before", daemon=True).start()

    def conversation_closed(self, session: Session) -> None:
        self.journals.forget(session.document)
        self.keeper.forget(session.document)

    def _journal_failed(self, error: OSError) -> None:
        """For the journals' thread."""
        self.call_later(self._no_journal, error)

    def _no_journal(self, error: OSError) -> None:
        detail = error.strerror or ""
        self.tell(say("journal.unwritable", folder=visible_line(str(journal_folder())), detail=detail), error=True)

    def _bring_back(self) -> None:
        sessions = self.workbench.sessions
        before = len(sessions)
        for notice in self.journals.bring_back(sessions):
            self.tell(notice)
        first = sessions[0]
        if len(sessions) > before == 1 and first.document.is_untitled and not first.messages:
            # Nothing was asked for but to begin: what was lost is what the person looks for.
            del sessions[0]
        if self.workbench.is_whole:
            self.workbench.refresh_all()

    @property
    def failure(self) -> str | None:
        """The mistake in the program that ended it, if one did."""
        return None if self._exception is None else f"{type(self._exception).__name__}: {self._exception}"

    # Keys

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Resize):
            # Comes also at the same size: after the screen was given up to another program, or the process stopped.
            self.repaint()
        await super().on_event(event)

    def place_cursor(self, editor: "TextArea") -> None:
        """Puts the terminal's own cursor where the caret is, so that an input method's window comes up there."""

        def place() -> None:
            if editor.has_focus and editor.is_attached:
                self.cursor_position = editor.cursor_screen_offset

        self.call_after_refresh(place)

    # Commands

    def action_command_palette(self) -> None:
        from .screens.palette import Palette

        if not any(isinstance(screen, Palette) for screen in self.screen_stack):
            palette = Palette(self.inks, self.workbench.library, self)
            self.choose_from(palette, lambda command: self.workbench.guarded(command.run))

    def tell(self, text: str, *, error: bool = False) -> None:
        """A notice at the corner of the screen. Text, never markup."""
        text = visible(text)
        if self.plain and self.screen is self.workbench and self.workbench.is_whole:
            self.workbench.announcing.announce(text)
        else:
            if self.workbench.is_whole:
                self.workbench.notice_place.choose()
            self.notify(
                text,
                severity="error" if error else "information",
                markup=False,
                timeout=self.NOTICE_SECONDS * (2 if error else 1),
            )

    def _notice(self, document: Document, key: str) -> None:
        self.tell(say(key, title=document.title))

    def _documents_changed(self) -> None:
        if self.workbench.is_whole:
            self.workbench.refresh_all()

    # Answers and models

    def answer_ended(self, run: Run, answer: Answer) -> None:
        """For a run's thread."""
        self.post_message(self.AnswerEnded(run, answer))

    def on_qiao_app_answer_ended(self, event: AnswerEnded) -> None:
        self.workbench.running.answer_came(event.run, event.answer)

    def look_for_models(self) -> None:
        """Brings the picker up to date, from a thread; one look at a time."""

        def look() -> None:
            with self._looking:
                models, sources = self.backends.models(), self.backends.sources()
            self.post_message(self.ModelsFound(models, sources))

        if not self._looking.locked():
            threading.Thread(target=look, name="models", daemon=True).start()

    def on_qiao_app_models_found(self, event: ModelsFound) -> None:
        workbench = self.workbench
        if workbench.known.found(event.models, event.sources) and workbench.is_whole:
            workbench.refresh_all()

    def _job_ended(self, job: Job) -> None:
        self.post_message(self.JobEnded(job))

    def on_qiao_app_job_ended(self, event: JobEnded) -> None:
        if self.workbench.is_whole:
            self.workbench.picking.job_ended(event.job)

    def settings_changed(self) -> None:
        """The settings file was written to: what it says holds at once."""
        self.config, warnings = load_config()
        self.backends.configure(self.config)
        for warning in warnings:
            self.tell(warning)

    # Themes

    def next_theme(self) -> None:
        names = [theme.name for theme in self.themes]
        at = names.index(self.theme) if self.theme in names else -1
        self.use_theme(names[(at + 1) % len(names)])

    def use_theme(self, name: str) -> None:
        self.workbench.drafting.close()
        theme = next(theme for theme in self.themes if theme.name == name)
        self.inks = Inks(theme.colors)
        self.theme = name
        for widget in self.workbench.query(Widget):
            if callable(restyle := getattr(widget, "restyle", None)):
                restyle(self.inks)
        self.tell(theme.shown_title)

    # Leaving

    def leave(self, *, asking: bool = True) -> None:
        """Stops what streams, saves everything, gives the memory back, and ends.

        Args:
            asking: whether there is still someone to ask about what can't be saved; else it goes to the data folder.
        """
        # Whoever was about to be asked may be gone by now.
        self._someone = self._someone and asking
        if not asking and self._typed_ahead and not self._are_held:
            # Words that had come before.
            self.call_later(self.leave, asking=False)
        elif not self._leaving:
            self._leaving = True
            self.run_worker(self._leave(), name="leave")

    def terminal_gone(self) -> None:
        # As a hang-up, which comes only to the terminal's own session. What was typed before is carried out first.
        self.call_later(self.leave, asking=False)

    async def _leave(self) -> None:
        workbench = self.workbench
        workbench.drafting.close()
        await leaving.stop(workbench.sessions, workbench.sessions)
        unsaved = await leaving.save(workbench.sessions, self.keeper)
        if unsaved and not self._someone:
            self._rescue()
        elif unsaved:
            # Not a word is lost: said, and left to the person to decide.
            self._leaving = False
            workbench.files.ask_to_lose(unsaved, "q", "quit", self.end)
            return
        # One that is just opening would find that an app that exits lets it have no parts.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                for screen in self.screen_stack:
                    await screen._mounted_event.wait()
        self.end()

    def _rescue(self) -> None:
        with contextlib.suppress(Exception):
            self.workbench.drafting.close()
        leaving.rescue(self.workbench.sessions, self.keeper)

    def _handle_exception(self, error: Exception) -> None:
        if self._exception is None and not self.is_headless:
            with contextlib.suppress(Exception):
                self._rescue()
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        # Textual's own prints the values of local variables as well: a person's words, and later keys, in a log.
        # While the app runs, sys.stderr is Textual's, which shows it to nobody.
        if self._exception is not None:
            with contextlib.suppress(OSError), open(2, "w", errors="backslashreplace", closefd=False) as log:
                traceback.print_exception(self._exception, file=log)
        self._close_messages_no_wait()

    def end(self) -> None:
        """Ends, whatever isn't saved. What answers is left to close by whoever made it, once the screen is gone."""
        self._journal()
        self.open_files.close()
        self.journals.close()
        self.jobs.stop_all()
        self.exit(0)
