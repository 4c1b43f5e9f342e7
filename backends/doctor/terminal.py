"""The terminal: its size, colours, characters, and what lies between it and Qiao (SSH, tmux, screen)."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...workbench.visible import visible_line
from ...workbench.words import say
from .finding import Finding, Value

COLUMNS, ROWS = 80, 24
"""What the workbench needs at least."""


def look_at_terminal(environ: Mapping[str, str], size: tuple[int, int] | None) -> list[Finding]:
    """What can be told from the environment; tmux is asked in `tmux`.

    Args:
        environ: our environment.
        size: columns and rows; None if no stream of ours is a terminal.
    """
    findings = [_kind(environ), _characters(environ), _colours(environ)]
    if size is not None:
        findings.insert(1, _size(*size))
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        findings.append(Finding("ssh", "SSH", "ok", say("doctor.ssh"), values={"ssh": True}))
    if environ.get("STY"):
        findings.append(Finding("screen", "screen", "warn", say("doctor.screen"), say("doctor.screen_tmux")))
    if environ.get("TERM_PROGRAM") == "Apple_Terminal":
        findings.append(Finding("clipboard", say("doctor.title_clipboard"), "warn", say("doctor.no_osc52")))
    return findings


def terminal_size() -> tuple[int, int] | None:
    """Columns and rows of the first of our streams that is a terminal."""
    for stream in (1, 2, 0):
        try:
            columns, rows = os.get_terminal_size(stream)
            return columns, rows
        except OSError:
            continue
    return None


def _kind(environ: Mapping[str, str]) -> Finding:
    term = environ.get("TERM", "")
    values: dict[str, Value] = {"term": term, "program": environ.get("TERM_PROGRAM")}
    if term in ("", "dumb", "unknown"):
        fact = say("doctor.term_dumb", term=visible_line(term) or say("doctor.unset"))
        return Finding("term", "TERM", "warn", fact, say("doctor.term_set"), values)
    if not in_terminfo(term, environ):
        return Finding(
            "term", "TERM", "warn", say("doctor.term_unknown", term=visible_line(term)), say("doctor.term_set"), values
        )
    return Finding("term", "TERM", "ok", visible_line(term), values=values)


_TERMINFO = ("/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo")


def in_terminfo(term: str, environ: Mapping[str, str], folders: Sequence[str] = _TERMINFO) -> bool:
    """Whether this machine knows the terminal. Programs that Qiao opens need that; Qiao itself doesn't.

    Looked up as ncurses does (terminfo(5), "Fetching compiled descriptions"); without any description here it is
    taken for known.
    """
    own = [environ.get("TERMINFO"), os.path.expanduser("~/.terminfo"), *environ.get("TERMINFO_DIRS", "").split(":")]
    found = [Path(folder) for folder in (*own, *folders) if folder and os.path.isdir(folder)]
    # By its first letter, or by that letter's hexadecimal number where file names ignore case.
    places = (f"{term[0]}/{term}", f"{ord(term[0]):x}/{term}")
    return not found or "/" in term or any((folder / place).exists() for folder in found for place in places)


def _size(columns: int, rows: int) -> Finding:
    values: dict[str, Value] = {"columns": columns, "rows": rows}
    fact = f"{columns} × {rows}"
    small = columns < COLUMNS or rows < ROWS
    advice = say("doctor.size_small", columns=COLUMNS, rows=ROWS) if small else ""
    return Finding("size", say("doctor.title_size"), "warn" if small else "ok", fact, advice, values)


def _characters(environ: Mapping[str, str]) -> Finding:
    # In POSIX's order; an empty one counts as unset.
    names = [name for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)]
    if "LC_CTYPE" in names and made_up_by_python():
        names.remove("LC_CTYPE")
    name = names[0] if names else None
    locale = environ[name] if name else ""
    values: dict[str, Value] = {"locale": locale}
    if locale.lower().replace("-", "").partition(".")[2].startswith("utf8"):
        return Finding("utf8", say("doctor.title_characters"), "ok", visible_line(f"{name}={locale}"), values=values)
    fact = say("doctor.not_utf8", locale=visible_line(f"{name}={locale}") if name else f"LANG {say('doctor.unset')}")
    return Finding("utf8", say("doctor.title_characters"), "warn", fact, say("doctor.set_utf8"), values)


def made_up_by_python(started_with: Path = Path("/proc/self/environ")) -> bool:
    """Whether LC_CTYPE wasn't set when this process began: Python sets it where the locale is C (PEP 538)."""
    try:
        return not any(part.startswith(b"LC_CTYPE=") for part in started_with.read_bytes().split(b"\0"))
    except OSError:
        return False


def colours(environ: Mapping[str, str]) -> str:
    """How many colours will be used: `16M`, `256`, `16`, `none`. As Rich decides, which Textual draws with."""
    term = environ.get("TERM", "").lower()
    if environ.get("NO_COLOR"):
        return "none"
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return "16M"
    if term in ("", "dumb", "unknown"):
        return "none"
    kind = term.rpartition("-")[2]
    return {"kitty": "256", "256color": "256", "16color": "16", "direct": "16M"}.get(kind, "16")


def _colours(environ: Mapping[str, str]) -> Finding:
    number = colours(environ)
    values: dict[str, Value] = {"colours": number, "colorterm": environ.get("COLORTERM")}
    title = say("doctor.title_colours")
    if number == "16M":
        return Finding("colours", title, "ok", say("doctor.colours_all"), values=values)
    if environ.get("NO_COLOR"):
        return Finding("colours", title, "ok", say("doctor.colours_none"), values=values)
    return Finding(
        "colours", title, "warn", say("doctor.colours_few", number=number), say("doctor.colours_set"), values
    )
