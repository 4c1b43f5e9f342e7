"""The table that the benchmarks print: ours beside a bare baseline that was measured in the same run."""

from collections.abc import Iterable
from typing import NamedTuple


class Budget(NamedTuple):
    """What a row is held to."""

    limit: float
    on: str = "ours"
    """`ours` or `ratio`: which of the row's figures the limit is for."""
    at_least: bool = False
    """The figure is to be no smaller, rather than no larger."""

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {number(self.limit)}" + (" ×" if self.on == "ratio" else "")


class Row(NamedTuple):
    """One thing measured."""

    what: str
    """With its unit at the end: `bytes a streamed token`, `key to screen, p95, ms`."""
    ours: float
    baseline: float | None = None
    beside: str = ""
    """What the baseline is."""
    budget: Budget | None = None

    @property
    def ratio(self) -> float | None:
        """Ours to the baseline's."""
        return self.ours / self.baseline if self.baseline else None

    @property
    def is_over(self) -> bool:
        """Whether it misses its budget."""
        if self.budget is None:
            return False
        figure = self.ours if self.budget.on == "ours" else self.ratio
        if figure is None:
            return True
        return figure < self.budget.limit if self.budget.at_least else figure > self.budget.limit


class Section(NamedTuple):
    """Rows that belong together."""

    title: str
    rows: list[Row]


def number(value: float) -> str:
    """As many digits as mean something."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


HEADINGS = ("", "Qiao", "bare", "ratio", "budget", "", "the bare one is")


def cells(row: Row) -> tuple[str, ...]:
    """A row as the table shows it."""
    return (
        row.what,
        number(row.ours),
        "" if row.baseline is None else number(row.baseline),
        "" if row.ratio is None else f"{row.ratio:.2f} ×",
        "" if row.budget is None else str(row.budget),
        "" if row.budget is None else "**over**" if row.is_over else "ok",
        row.beside,
    )


def markdown(section: Section) -> str:
    """The section as Markdown, aligned so that it reads as plain text too."""
    rows = [cells(row) for row in section.rows]
    widths = [max(3, *(len(row[column]) for row in (HEADINGS, *rows))) for column in range(len(HEADINGS))]
    right = (1, 2, 3, 4)
    rule = [("-" * (width - 1) + ":") if column in right else "-" * width for column, width in enumerate(widths)]

    def line(texts: Iterable[str]) -> str:
        padded = (
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(texts, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |"

    return "\n".join([f"### {section.title}", "", line(HEADINGS), line(rule), *map(line, rows), ""])
