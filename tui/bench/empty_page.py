"""What a page without messages says, for a start."""

from typing import TYPE_CHECKING

from ...workbench.visible import visible_line
from ...workbench.words import say
from ..text.wrap import truncate

if TYPE_CHECKING:
    from .screen import WorkbenchScreen

NAMES_TOLD = 3
NAME_CELLS = 32


def empty_words(bench: "WorkbenchScreen") -> list[str]:
    """Paragraphs, the most useful first."""
    if bench.is_page:
        return [say("page.welcome"), say("page.welcome_keys"), say("page.welcome_base")]
    words = [say("screen.welcome"), *_offers(bench), say("screen.welcome_keys")]
    if all(model.state == "absent" for model in bench.models):
        titles = [visible_line(source.title) for source in bench.sources if source.needs_key]
        words.append(say("screen.first_model", providers=say("picker.comma").join(titles[:3])))
    return [*words, say("screen.welcome_folder")]


def _offers(bench: "WorkbenchScreen") -> list[str]:
    """What can be gone on with."""
    keys, offers, drafts = bench.qiao.keys, bench.closing.offers, bench.closing.drafts
    words: list[str] = []
    if offers and (key := keys.shown("reopen")):
        names = [truncate(visible_line(name), NAME_CELLS) for name in offers[-1].names]
        told = say("picker.comma").join(names[:NAMES_TOLD])
        if more := names[NAMES_TOLD:]:
            told = say("closing.and_more", names=told, n=len(more))
        words.append(say("closing.offer", press=key[0], names=told))
    if drafts and (key := keys.shown("open")):
        words.append(say("closing.drafts", press=key[0], n=drafts))
    return words
