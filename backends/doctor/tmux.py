"""tmux: its version, and the settings that decide on colours, on the clipboard and on how quick `esc` is."""

import re
from collections.abc import Mapping

from ...workbench.visible import visible_line
from ...workbench.words import say
from .finding import Finding, Value
from .programs import Silent, ask

LIMIT_S = 3.0
SLOW_ESCAPE_MS = 50


def look_at_tmux(environ: Mapping[str, str], limit_s: float = LIMIT_S) -> list[Finding]:
    """The tmux that this runs in; nothing outside of one."""
    if not environ.get("TMUX"):
        return []
    try:
        version = ask(["tmux", "-V"], limit_s).out.strip()
        options = ask(["tmux", "show-options", "-s"], limit_s).out
        # Of the client that looks at this pane; empty where none is attached.
        client = ask(["tmux", "display-message", "-p", "#{client_utf8} #{client_termfeatures}"], limit_s).out.strip()
    except Silent:
        return [Finding("tmux", "tmux", "warn", say("doctor.tmux_silent"))]
    return judged(version, options, client)


def judged(version: str, options: str, client: str) -> list[Finding]:
    """Whether its settings are good.

    Args:
        version: as `tmux -V` prints it.
        options: as `tmux show-options -s` prints them: a name and a value a line.
        client: `1` if the attached terminal takes UTF-8, a blank, its features parted by commas; empty if none is.
    """
    utf8, _, features = client.partition(" ")
    server = {name: value for line in options.splitlines() for name, _, value in [line.partition(" ")]}
    values: dict[str, Value] = {"version": version.removeprefix("tmux ")}
    findings = [Finding("tmux", "tmux", "ok", visible_line(version.removeprefix("tmux ")), values=values)]
    if features:
        rgb = "RGB" in features.split(",") or bool(re.search(r":(Tc|RGB)\b", options))
        findings.append(_setting("colours", rgb))
    if utf8 == "0":
        findings.append(_setting("characters", False))
    # `external` hands on what tmux itself copies, and refuses what a program inside copies.
    findings.append(_setting("clipboard", server.get("set-clipboard", "external") == "on"))
    wait = server.get("escape-time", "500")
    if wait.isdigit() and int(wait) > SLOW_ESCAPE_MS:
        findings.append(_setting("escape", False, ms=int(wait)))
    return findings


def _setting(what: str, good: bool, **facts: int) -> Finding:
    """A setting that is as it should be, or that isn't: then what to write into tmux.conf stands below."""
    title = f"tmux: {say(f'doctor.title_{what}')}"
    if good:
        return Finding(f"tmux_{what}", title, "ok", say(f"doctor.tmux_good_{what}"))
    fact, advice = say(f"doctor.tmux_bad_{what}", **facts), say(f"doctor.tmux_do_{what}")
    return Finding(f"tmux_{what}", title, "warn", fact, advice, dict(facts))
