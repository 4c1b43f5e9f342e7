"""The flags that a person passes on to `vllm serve`, as far as Qiao must know them."""

from collections.abc import Sequence


def values(flags: Sequence[str], *names: str) -> list[str] | None:
    """What a flag is given, the last time that it stands there; None if it doesn't.

    Args:
        flags: as on a command line: `--port 8000`, `--port=8000`, `--served-model-name a b`.
        names: the flag's names; vLLM takes `_` for `-` in them.
    """
    found: list[str] | None = None
    for place, flag in enumerate(flags):
        name, equals, value = flag.partition("=")
        if name.replace("_", "-") in names:
            found = [value] if equals else list(_following(flags, place))
    return found


def value(flags: Sequence[str], *names: str) -> str | None:
    """The first of `values`; None if the flag isn't there, or stands there alone."""
    return next(iter(values(flags, *names) or ()), None)


def without(flags: Sequence[str], name: str) -> list[str]:
    """The flags, this one and what it is given left out."""
    kept: list[str] = []
    skip = 0
    for place, flag in enumerate(flags):
        if skip:
            skip -= 1
            continue
        own, equals, _ = flag.partition("=")
        if own.replace("_", "-") == name:
            skip = 0 if equals else len(_following(flags, place))
        else:
            kept.append(flag)
    return kept


def _following(flags: Sequence[str], place: int) -> list[str]:
    following: list[str] = []
    for flag in flags[place + 1 :]:
        if flag.startswith("-"):
            break
        following.append(flag)
    return following
