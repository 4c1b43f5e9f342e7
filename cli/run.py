"""`qiao run`: the next assistant message, streamed to stdout."""

from argparse import Namespace
from collections.abc import Generator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from ..workbench.answering import Answer
from ..workbench.conversation import Take
from ..workbench.errors import QiaoError, Refused, Unreadable
from ..workbench.keeping import keep
from ..workbench.placing import Place
from ..workbench.seam import REFUSALS, Backend, Event, Failed, Finished, Progress, Started, Text, Thinking, Token
from ..workbench.versions import prompt_of, remember
from ..workbench.visible import without_surrogates
from ..workbench.words import say
from .interrupt import Interrupt
from .json_lines import error_json, kind_of, take_json, write_json
from .progress import ProgressLine
from .question import Question
from .streams import Data, Narration, Unwritable

DONE, REFUSED, BROKEN_OFF = 0, 3, 4


class Ending(NamedTuple):
    """Why a run brought no more: the command's exit code, and what to say."""

    exit_code: int
    kind: str
    message: str


def check(options: Namespace, question: Question) -> None:
    """Refuses `--save` where nothing can be saved, before anything is run.

    Raises:
        Unreadable: the conversation came from stdin, or its file is a newer program's.
    """
    if options.save and question.path is None:
        raise Unreadable("cli.save_needs_file")
    if options.save and question.read_only:
        raise Unreadable("cli.save_read_only", name=str(question.path))


def run(options: Namespace, question: Question, backend: Backend, narration: Narration) -> int:
    """Asks, prints, and, with `--save`, keeps the takes.

    Returns:
        What the command exits with.

    Raises:
        KeyboardInterrupt: interrupted a second time.
        Unwritable: nobody reads stdout any more, or the disk is full; what had arrived is saved, if it was to be.
    """
    data = Data()
    answers: list[Answer] = []
    ending: Ending | None = None
    gone: Unwritable | None = None
    saved: Path | None = None
    count = len(question.ask.requests)
    if not options.json:
        for line in _unheeded(options, question, backend):
            narration.note(line)
    with Interrupt() as interrupt:
        for number, request in enumerate(question.ask.requests, 1):
            if count > 1 and not options.json:
                narration.note(say("cli.take", number=number, count=count))
            answer = Answer(request, question.ask.prompt_hash, question.ask.prefix)
            answers.append(answer)
            try:
                _stream(answer, backend, interrupt, None if options.json else data, narration)
            except Unwritable as error:
                answer.feed(Finished("cancelled"))
                gone = error
                break
            ending = _ending(answer, interrupt)
            if ending is not None:
                break
            _remark(answer, narration)
        kept = [answer for answer in answers if answer.has_content or _is_whole(answer)]
        takes = [answer.take() for answer in kept]
        if options.save and takes:
            try:
                place = msgspec.structs.replace(question.place, runs_on=kept[0].runs_on)
                saved = _save(question, place, takes, narration)
            except QiaoError as error:
                # What couldn't be saved is still printed.
                ending = Ending(error.exit_code, kind_of(error), str(error))
    if gone is not None:
        raise gone
    if options.json:
        reports = [take_json(take, _asked_chances(answer)) for take, answer in zip(takes, kept, strict=True)]
        write_json(data, _report(reports, count, saved, ending))
    elif ending is not None:
        narration.note(say("cli.complaint", message=ending.message))
    return DONE if ending is None else ending.exit_code


def _unheeded(options: Namespace, question: Question, backend: Backend) -> list[str]:
    """A line for each parameter that the person set and that will have no effect."""
    told = backend.unheeded(question.ask.requests[0])
    set_here = any(setting.partition("=")[0].strip() == "seed" for setting in options.set)
    if question.conversation.sampling.seed is None and not set_here:
        # One is always drawn; nobody asked for it.
        told = {name: line for name, line in told.items() if name != "seed"}
    return list(told.values())


def _stream(answer: Answer, backend: Backend, interrupt: Interrupt, data: Data | None, narration: Narration) -> None:
    """Feeds the answer from the backend, printing it as it comes unless `data` is None."""
    progress = ProgressLine(narration, str(answer.request.address))
    aside = False
    try:
        # A generator: closing it stops what computes behind it.
        with closing(cast("Generator[Event]", backend.generate(answer.request, interrupt.stop))) as events:
            for event in events:
                shown = len(answer.text)
                answer.feed(event)
                match event:
                    case Progress():
                        progress.show(event)
                    case Started():
                        narration.clear()
                        if event.left_out:
                            narration.note(say("seen.cut_note", n=event.left_out))
                    case Thinking() if data is not None:
                        narration.aside(event.text)
                        aside = True
                    case Text() if data is not None:
                        if aside:
                            narration.aside("\n\n")
                            aside = False
                        narration.clear()
                        data.write(answer.text[shown:])
                    case _:
                        pass
    except Unwritable:
        raise
    except QiaoError as error:
        answer.feed(Failed("invalid_request" if isinstance(error, Refused) else "engine_died", str(error)))
    except Exception as error:  # noqa: BLE001 - a mistake in a backend must not cost what had arrived
        answer.feed(Failed("engine_died", f"{type(error).__name__}: {error}"))
    finally:
        if aside:
            narration.aside("\n")
        narration.clear()
    if data is not None:
        data.end_line()


def _is_whole(answer: Answer) -> bool:
    return isinstance(answer.finished, Finished) and answer.finished.reason not in ("cancelled", "error")


def _ending(answer: Answer, interrupt: Interrupt) -> Ending | None:
    """Why this answer is no whole one; None if it is."""
    if _is_whole(answer):
        return None
    if isinstance(answer.finished, Failed):
        refused = answer.finished.kind in REFUSALS and not answer.has_content
        return Ending(REFUSED if refused else BROKEN_OFF, answer.finished.kind, answer.finished.message)
    if interrupt.stop.is_set():
        return Ending(interrupt.exit_code, "interrupted", say("cli.interrupted"))
    return Ending(BROKEN_OFF, "broken_off", say("cli.broken_off"))


def _remark(answer: Answer, narration: Narration) -> None:
    """Tells of a whole answer what its text doesn't."""
    if answer.finish == "length":
        narration.note(say("cli.cut_off", tokens=answer.tokens))
    elif answer.finish in ("content_filter", "tool_calls"):
        narration.note(say(f"cli.finish_{answer.finish}"))
    elif len(answer.text) == len(answer.prefix):
        narration.note(say("cli.empty"))


def _save(question: Question, place: Place, takes: list[Take], narration: Narration) -> Path:
    assert question.path is not None, "checked before"
    if question.ask.prompt_hash == place.prompt_hash:
        before = question.conversation.messages[: place.upto]
        # For the answer's history in the workbench; nothing else hangs on it.
        with suppress(QiaoError, OSError):
            remember(place.prompt_hash, prompt_of(before, question.conversation.variables))
    kept = keep(question.path, question.conversation, place, takes)
    if kept.beside:
        narration.note(say("cli.saved_beside", name=str(question.path), beside=str(kept.path)))
    if kept.comments is not None:
        narration.note(say("document.comments_kept", file=str(question.path), copy=str(kept.comments)))
    return kept.path


def _asked_chances(answer: Answer) -> list[Token] | None:
    """How likely the answer's tokens were; None if nobody asked."""
    return None if answer.request.sampling.logprobs is None else answer.chances


def _report(takes: list[dict[str, Any]], count: int, saved: Path | None, ending: Ending | None) -> dict[str, Any]:
    """The one JSON object: the first take, all that came if several were wanted, and what went wrong."""
    report: dict[str, Any] = {}
    if ending is not None:
        report |= error_json(ending.kind, ending.message)
    if takes:
        report |= takes[0]
    if count > 1:
        report["takes"] = takes
    if saved is not None:
        report["saved"] = without_surrogates(str(saved))
    return report
