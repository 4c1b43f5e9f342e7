"""`qiao doctor`: what Qiao stands on, a line for each thing, and what to do."""

import shutil
from argparse import Namespace
from collections.abc import Iterable, Sequence
from typing import Any

from ..backends.doctor.examining import Seen
from ..backends.doctor.finding import Finding, State
from ..workbench.visible import visible_line, without_surrogates
from ..workbench.words import say
from .cells import padded, width, wrapped
from .json_lines import write_json
from .streams import Data, Narration

BROKEN = 3
"""Something that is here doesn't work."""

SIGNS: dict[State, str] = {"ok": "✓", "absent": "·", "warn": "!", "bad": "✗"}
TITLE_CELLS = 18
INDENT = "  "


def doctor(options: Namespace, report: Iterable[Seen], narration: Narration) -> int:
    """Prints the report: line by line as it comes, or as JSON.

    Returns:
        What the command exits with: 3 if something that is here doesn't work, else 0.
    """
    data = Data()
    seen: list[Seen] = []
    heading = ""
    narration.status(say("doctor.looking"))
    for part in report:
        seen.append(part)
        if options.json or not part.findings:
            continue
        narration.clear()
        if part.area != heading:
            data.write(("\n" if heading else "") + say(f"doctor.area_{part.area}") + "\n")
            heading = part.area
        data.write("".join(map(lines, part.findings)))
        narration.status(say("doctor.looking"))
    narration.clear()
    states: list[State] = [finding.state for part in seen for finding in part.findings]
    if options.json:
        write_json(data, _json(seen))
    else:
        data.write(f"\n{_sum(states)}\n")
    return BROKEN if "bad" in states else 0


def lines(finding: Finding) -> str:
    """One finding: its sign, its state in a word, what it is, the fact; the advice below."""
    columns = min(shutil.get_terminal_size().columns, 120)
    state = padded(say(f"doctor.state_{finding.state}"), 4)
    title = padded(visible_line(finding.title), TITLE_CELLS)
    head = f"{INDENT}{SIGNS[finding.state]} {state}  {title}  "
    room = max(columns - width(head) - 1, 30)
    facts = wrapped(visible_line(finding.fact), room)
    advice = wrapped(visible_line(finding.advice), room - 2) if finding.advice else []
    margin = " " * width(head)
    text = [head + facts[0], *(margin + line for line in facts[1:])]
    text += [f"{margin}{'→ ' if i == 0 else '  '}{line}" for i, line in enumerate(advice)]
    return "".join(f"{line}\n" for line in text)


def _sum(states: Sequence[State]) -> str:
    bad, warn = states.count("bad"), states.count("warn")
    return say(f"doctor.sum_{'bad' if bad else 'warn' if warn else 'fine'}", bad=bad, warn=warn)


def _json(seen: list[Seen]) -> dict[str, Any]:
    states = [finding.state for part in seen for finding in part.findings]
    worst = next((state for state in ("bad", "warn") if state in states), "ok")
    return {"state": worst, "findings": [_finding(part.area, finding) for part in seen for finding in part.findings]}


def _finding(area: str, finding: Finding) -> dict[str, Any]:
    return {
        "area": area,
        "name": finding.name,
        "title": finding.title,
        "state": finding.state,
        "fact": without_surrogates(finding.fact),
        "advice": without_surrogates(finding.advice),
        "values": {
            name: without_surrogates(value) if isinstance(value, str) else value
            for name, value in finding.values.items()
        },
    }
