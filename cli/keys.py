"""`qiao keys`: the keys of providers, kept, told and tried; no key is ever an argument, or printed."""

from argparse import Namespace
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

import msgspec

from ..backends.keys.store import Keys, Place, Status
from ..backends.providers import Provider
from ..workbench.errors import QiaoError, Refused, Unreadable
from ..workbench.visible import visible_line
from ..workbench.words import say
from .arguments import WrongUsage
from .cells import table
from .interrupt import Interrupt
from .json_lines import write_json
from .secret_line import first_line, typed
from .streams import Data, Narration
from .unlocking import passphrase

if TYPE_CHECKING:
    from ..backends.registry import Backends

Providers = Mapping[str, Provider]

COLUMNS = ("provider", "source", "where", "fingerprint")


def manage(options: Namespace, backends: "Backends", narration: Narration) -> int:
    """Carries out one of ACTIONS.

    Returns:
        What the command exits with.

    Raises:
        QiaoError: the provider isn't known, the key can't be kept, found or used.
    """
    if options.key:
        raise WrongUsage("cli.keys_no_argument")
    providers = backends.providers
    if options.action == "list":
        return _list(options, backends.keys, providers, narration)
    if options.provider is None:
        raise WrongUsage("cli.keys_which", action=options.action, known=_known(providers))
    provider = _provider(options.provider, providers)
    match options.action:
        case "set":
            place = _set(provider, options.to, backends.keys, narration)
            backends.forget_key(provider.name)
            _tell_place(provider, place, narration)
            _warn_of_environment(provider, backends.keys, narration)
            return _report(options, provider, backends.keys)
        case "delete":
            gone = backends.keys.delete(provider.name)
            backends.forget_key(provider.name)
            wheres = say("keys.and").join(say(f"keys.source_{where}") for where in gone)
            key = "cli.keys_deleted" if gone else "cli.keys_none_kept"
            narration.note(say(key, provider=provider.name, **({"places": wheres} if gone else {})))
            _warn_of_environment(provider, backends.keys, narration)
            return _report(options, provider, backends.keys)
        case _:
            return _test(options, provider, backends, narration)


def _provider(name: str, providers: Providers) -> Provider:
    provider = providers.get(name)
    if provider is None:
        close = get_close_matches(name, providers, n=1)
        known = _known(providers)
        shown = visible_line(name)
        if close:
            raise Unreadable("cli.keys_misspelt", name=shown, close=visible_line(close[0]), known=known)
        raise Unreadable("cli.keys_unknown", name=shown, known=known)
    return provider


def _known(providers: Providers) -> str:
    return ", ".join(visible_line(name) for name in providers)


def _set(provider: Provider, to: str | None, keys: Keys, narration: Narration) -> Place:
    """Chooses the place first: who types a key should know where it goes."""
    place = _place(to, keys, narration)
    if place.where == "file" and place.wants_passphrase:
        # Before the key is read: without a passphrase there is no use in it.
        _open_file(place, keys, narration)
    if provider.key_page:
        narration.note(say("cli.keys_page", url=provider.key_page))
    value = first_line(say("cli.keys_prompt", provider=provider.name))
    if not value or not value.strip():
        raise Unreadable("cli.keys_nothing", provider=provider.name)
    return keys.set(provider.name, value, place.where)


def _place(to: str | None, keys: Keys, narration: Narration) -> Place:
    """Where the key goes: as told, else the first place that works. Never silently into a file."""
    places = [place for place in keys.places() if place.where != "session"]
    if to is not None:
        place = next(place for place in places if place.where == to)
        if place.problem:
            raise Refused("keys.not_kept", reason=place.problem)
        return place
    keyring, *others = places
    if keyring.problem is None:
        return keyring
    place = next((place for place in others if place.problem is None), None)
    if place is None:
        raise Refused("keys.not_kept", reason=others[0].problem or keyring.problem)
    narration.note(say("cli.keys_to_file", reason=keyring.problem, file=place.detail))
    return place


def _open_file(place: Place, keys: Keys, narration: Narration) -> None:
    if place.wants_passphrase == "known":
        given = passphrase()
    else:
        narration.note(say("cli.keys_new_file"))
        given = typed(say("cli.keys_new_passphrase"))
        if given is not None and typed(say("cli.keys_again")) != given:
            raise Unreadable("keys.passphrases_differ")
    if given is None:
        raise Refused("cli.keys_no_terminal")
    keys.unlock(given)


def _tell_place(provider: Provider, place: Place, narration: Narration) -> None:
    detail = f" ({place.detail})" if place.detail else ""
    narration.note(say("cli.keys_kept", provider=provider.name, place=say(f"keys.source_{place.where}") + detail))


def _warn_of_environment(provider: Provider, keys: Keys, narration: Narration) -> None:
    (status,) = keys.statuses({provider.name: provider.key_env})
    if status.source == "environment":
        narration.note(say("keys.environment_first", variable=status.detail))


def _report(options: Namespace, provider: Provider, keys: Keys) -> int:
    if options.json:
        (status,) = keys.statuses({provider.name: provider.key_env})
        write_json(Data(), _status_json(status, provider))
    return 0


def _list(options: Namespace, keys: Keys, providers: Providers, narration: Narration) -> int:
    wanted = {options.provider: _provider(options.provider, providers)} if options.provider else providers
    statuses = keys.statuses({name: provider.key_env for name, provider in wanted.items()})
    data = Data()
    if options.json:
        write_json(data, [_status_json(status, wanted[status.provider]) for status in statuses])
    else:
        heading = [say(f"cli.column_{name}") for name in COLUMNS]
        rows = [_row(status, wanted[status.provider]) for status in statuses]
        data.write(table([heading, *rows], right=(False,) * len(COLUMNS)))
    for problem in dict.fromkeys(status.problem for status in statuses if status.problem):
        narration.note(problem)
    return 0


def _row(status: Status, provider: Provider) -> list[str]:
    if status.source is None:
        source = say("keys.none_known" if provider.needs_key else "keys.none_needed")
    else:
        source = say("keys.and").join(say(f"keys.source_{one}") for one in (status.source, *status.others))
    locked = status.source == "file" and status.fingerprint is None
    return [
        visible_line(status.provider),
        source,
        status.detail,
        say("keys.locked") if locked else status.fingerprint or "",
    ]


def _status_json(status: Status, provider: Provider) -> dict[str, object]:
    return {**msgspec.structs.asdict(status), "needs_key": provider.needs_key}


def _test(options: Namespace, provider: Provider, backends: "Backends", narration: Narration) -> int:
    """Tries the key where it is really used: on the provider's list of models."""
    keys = backends.keys
    backends.forget_key(provider.name)
    keys.ask = passphrase
    key = keys.find(provider.name, provider.key_env)
    if key is None and provider.needs_key:
        raise Refused("cli.keys_no_key", provider=provider.name, variables=_variables(provider))
    narration.status(say("cli.keys_testing", provider=provider.name))
    with Interrupt() as interrupt:
        try:
            backends.refresh(provider.name, interrupt.stop)
        except QiaoError:
            interrupt.check()
            raise
        finally:
            narration.clear()
    count = sum(model.address.provider == provider.name for model in backends.models())
    source = say("keys.source_none") if key is None else say(f"keys.source_{key.source}")
    proved = key is not None and not provider.lists_without_key
    words = "cli.keys_works" if proved else "cli.keys_open_list"
    narration.note(say(words, provider=provider.name, models=count, source=source))
    if options.json:
        write_json(
            Data(),
            {
                "provider": provider.name,
                "source": None if key is None else key.source,
                "models": count,
                "proved": proved,
            },
        )
    return 0


def _variables(provider: Provider) -> str:
    return ", ".join(provider.key_env) or say("keys.none_needed")
