"""The model picker's list: a part for this machine, one for each provider, and those used lately above them."""

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from ...workbench.address import LOCAL, Address
from ...workbench.errors import QiaoError
from ...workbench.seam import Model, Progress, Source, State
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..text.bars import bytes_short
from ..text.glyphs import glyphs
from ..text.wrap import Run
from ..transcript.blocks import short_model
from .rows import Row

STATE_INKS: dict[State, str] = {"loaded": "good", "served": "good", "loading": "warn", "failed": "bad"}
FEW = 12
"""So many models of this machine are looked over at a glance: no list of the latest is needed above them."""
SHOWN_RECENT = 5


class Part(NamedTuple):
    """The key of a part's heading."""

    provider: str


class Recent(NamedTuple):
    """The key of a model among those used lately."""

    address: Address


class Add(NamedTuple):
    """The key of the row that adds a provider."""


class Doing(NamedTuple):
    """What is being done for a model or a provider, as the picker shows it."""

    words: str
    fraction: float | None = None
    """How much of it is done; None while that isn't known."""


def doing(progress: Progress | None) -> Doing:
    """What is under way. Without a word from it yet, a provider is being asked."""
    if progress is None:
        return Doing(say("picker.asking"))
    words = say(f"screen.stage_{progress.stage}")
    if progress.note:
        words += f": {visible_line(progress.note)}"
    return Doing(words, min(progress.done / progress.total, 1.0) if progress.total > 0 else None)


class Shown(NamedTuple):
    """All that the list is made from."""

    models: Sequence[Model] = ()
    sources: Sequence[Source] = ()
    current: Address | None = None
    """The model that answers next."""
    recent: Sequence[str] = ()
    """Addresses of models used lately, the latest first."""
    folded: Mapping[str, bool] = {}
    """By provider, as far as a person has said."""
    doing: Mapping[Hashable, Doing] = {}
    """By a model's address or a part's key."""
    looking: bool = False
    """The models of this machine aren't known yet."""


def is_folded(source: Source, folded: Mapping[str, bool]) -> bool:
    """Whether its models are out of sight: those of providers are, until someone opens them or starts a server."""
    return folded.get(source.provider, source.base_url is not None and not source.serving)


def tree_rows(shown: Shown, wanted: str = "") -> list[Row]:
    """The list.

    Args:
        shown: what there is.
        wanted: the filter, words parted by blanks. It looks into folded parts too.
    """
    words = wanted.lower().split()
    by_provider: dict[str, list[Model]] = {}
    for model in shown.models:
        by_provider.setdefault(model.address.provider, []).append(model)
    rows = [] if words else _recent_rows(shown)
    sources = _with_strangers(shown.sources, by_provider)
    before = bool(rows)
    """Whether what stands above has rows of its own, and so wants a blank below."""
    found = False
    for source in sources:
        models = by_provider.get(source.provider, [])
        if words:
            models = [model for model in models if _matches(model, source, words)]
            if not models and not _is_named(source, words):
                continue
        found = True
        is_open = bool(models) and (bool(words) or not is_folded(source, shown.folded))
        if is_open or before or not rows:
            rows.append(Row())
        rows.append(_heading(source, is_open, len(models), shown))
        if is_open:
            rows += [_model_row(model, shown, model.address) for model in models]
        before = is_open
    unlisted = _unlisted_rows(shown, wanted, words) if words else []
    rows += unlisted
    if words and not found and not unlisted:
        rows += [Row(), Row((Run(say("screen.no_models"), "faint"),))]
    if not words:
        rows += [Row(), Row((Run(f"{glyphs.add} {say('picker.add')}", "muted"),), (), Add())]
    return rows


def _with_strangers(sources: Sequence[Source], models: Mapping[str, Sequence[Model]]) -> list[Source]:
    """The sources, with one for each provider whose models are known though nobody tells of it."""
    told = {source.provider for source in sources}
    return [*sources, *(Source(name, name) for name in models if name not in told)]


def _recent_rows(shown: Shown) -> list[Row]:
    """Those used lately, where they would have to be looked for; the current one is among them."""
    local = sum(1 for model in shown.models if model.address.provider == LOCAL)
    current = [] if shown.current is None else [str(shown.current)]
    names = list(dict.fromkeys([*current, *shown.recent]))[:SHOWN_RECENT]
    addresses = [address for name in names if (address := _parsed(name)) is not None]
    if len(addresses) < 2 or (local <= FEW and all(address.provider == LOCAL for address in addresses)):
        return []
    known = {model.address: model for model in shown.models}
    rows = [Row(), Row((Run(say("picker.recent"), "muted"),))]
    for address in addresses:
        model = known.get(address) or Model(address, address.name, "remote")
        rows.append(_model_row(model, shown, Recent(address)))
    return rows


def _unlisted_rows(shown: Shown, wanted: str, words: Sequence[str]) -> list[Row]:
    """What no list has, but can be used: the models used lately that fit, and the address that is typed."""
    listed = {model.address for model in shown.models}
    titles = {source.provider: source.title for source in shown.sources}
    current = [] if shown.current is None else [str(shown.current)]
    rows: list[Row] = []
    for name in dict.fromkeys([*current, *shown.recent]):
        address = _parsed(name)
        if address is None or address in listed or address.provider not in titles:
            continue
        if all(word in f"{address} {titles[address.provider]}".lower() for word in words):
            listed.add(address)
            rows.append(_model_row(Model(address, address.name, "remote"), shown, Recent(address)))
    if rows:
        rows = [Row(), Row((Run(say("picker.recent"), "muted"),)), *rows]
    typed = _parsed(wanted)
    if typed is not None and typed.provider in titles and typed not in listed:
        rows += [Row(), Row((Run(say("picker.use", address=visible_line(str(typed)))),), (), typed)]
    return rows


def _parsed(name: str) -> Address | None:
    try:
        return Address.parse(name)
    except QiaoError:
        return None


def _matches(model: Model, source: Source, words: Sequence[str]) -> bool:
    kind = say(f"picker.kind_{model.kind}") if model.kind else ""
    text = f"{model.address} {model.title} {model.kind or ''} {kind} {source.title}".lower()
    return all(word in text for word in words)


def _is_named(source: Source, words: Sequence[str]) -> bool:
    return all(word in f"{source.provider} {source.title}".lower() for word in words)


def source_title(source: Source) -> str:
    """A part's name as it is shown."""
    return visible_line(source.title)


def _heading(source: Source, is_open: bool, count: int, shown: Shown) -> Row:
    key = Part(source.provider)
    glyph = glyphs.unfolded if is_open else glyphs.folded
    left = (Run(f"{glyph} ", "faint"), Run(source_title(source), "muted"))
    words, ink = source_state(source, count, shown.doing.get(key))
    if shown.looking and source.base_url is None and not count:
        words, ink = say("picker.looking"), "faint"
    right = [Run(words, ink)]
    if not is_open and shown.current is not None and shown.current.provider == source.provider:
        right.append(Run(f" {glyphs.mark}", "good"))
    return Row(left, tuple(right), key)


def source_state(source: Source, count: int, doing: Doing | None = None) -> tuple[str, str]:
    """How a source is doing, in a word, and that word's ink."""
    if doing is not None:
        return _doing_words(doing), "warn"
    if source.problem is not None:
        has_key = source.key is not None or not source.needs_key
        return say("picker.problem" if has_key else "picker.no_key"), "bad"
    if source.base_url is None or (source.asked and count):
        return str(count), "faint"
    return say("picker.none" if source.asked else "picker.not_asked"), "faint"


def _doing_words(doing: Doing) -> str:
    return doing.words if doing.fraction is None else f"{glyphs.loading} {doing.fraction:4.0%}"


def _model_row(model: Model, shown: Shown, key: Hashable) -> Row:
    is_current = model.address == shown.current
    unusable = model.state in ("failed", "absent")
    left = (
        Run(getattr(glyphs, model.state), STATE_INKS.get(model.state, "muted")),
        Run(" "),
        Run(visible_line(short_model(str(model.address))), "strong" if is_current else "muted" if unusable else "text"),
    )
    right: list[Run] = []
    doing = shown.doing.get(model.address)
    if doing is not None:
        right = [Run(_doing_words(doing), "warn")]
    elif model.problem and model.state != "loading":
        right = [Run(say("screen.model_problem"), "bad")]
    elif model.fits is False and model.state not in ("loaded", "loading"):
        right = [Run(f"{bytes_short(model.needed_bytes or model.size_bytes).strip()} {say('picker.no_fit')}", "bad")]
    else:
        if model.kind in ("base", "reasoning"):
            right.append(Run(f"{say(f'picker.kind_{model.kind}')}", "muted"))
        if model.size_bytes is not None:
            right.append(Run(bytes_short(model.size_bytes).rjust(5), "muted"))
    if is_current:
        right.append(Run(f" {glyphs.mark}", "good"))
    return Row(left, tuple(right), key)
