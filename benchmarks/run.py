"""All benchmarks as one table of ratios: ours beside a bare baseline that is measured in the same run.

    python benchmarks/run.py [PART…] [--quick] [--write]

It takes some twenty minutes, and is best left alone meanwhile. Nothing of yours is read or written; `--write` puts the
table into docs/benchmarks.md. Over SSH needs OpenSSH's client and server, the engine the `local` extra.
"""

import argparse
import importlib
import os
import sys
import tempfile
import time
from pathlib import Path

import machine
from table import Section, markdown

PARTS = ("start", "wire", "keys", "large", "engine", "client", "sensors", "over_ssh")
"""Modules beside this one, each with `measured(quick)`, which returns a section of the table."""
WRITTEN = Path(__file__).parents[1] / "docs" / "benchmarks.md"
INTRODUCTION = """\
# Benchmarks

Each row is ours beside a bare baseline, measured in the same run on the same machine: the ratio is what holds
elsewhere. `python benchmarks/run.py --write` made this page; how a figure is come by stands in its part's script.

"""


def main() -> int:
    """Runs the parts, and prints each section as soon as it is there; 1 if a row is over its budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="only these")
    parser.add_argument("--quick", action="store_true", help="shorter and rougher, to see that all parts run")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    about = machine.described()
    print("\n".join(about), end="\n\n", flush=True)
    begun = time.monotonic()
    sections: list[Section] = []
    with tempfile.TemporaryDirectory(prefix="qiao-benchmarks-") as folder:
        _prepare(Path(folder))
        for name in options.part or PARTS:
            sections.append(importlib.import_module(name).measured(options.quick))
            print(markdown(sections[-1]), flush=True)
    took = f"It took {(time.monotonic() - begun) / 60:.1f} minutes" + (
        ", roughly (`--quick`)." if options.quick else "."
    )
    print(took)
    if options.write:
        told = "\n".join(f"- {line}" for line in [*about, took])
        tables = "\n".join(markdown(section) for section in sections)
        WRITTEN.write_text(f"{INTRODUCTION}{told}\n\n{tables}", encoding="utf-8")
    return int(any(row.is_over for section in sections for row in section.rows))


def _prepare(folder: Path) -> None:
    """What every program that is measured finds in its environment, ours and the bare ones alike."""
    house = folder / "home"
    if own := os.environ.get("QIAO_HOME"):
        # The model that was fetched there needn't be fetched again.
        house.mkdir()
        (house / "cache").symlink_to(Path(own) / "cache")
    os.environ["QIAO_HOME"] = str(house)
    # Code is compiled once, as it is for a person, whatever the shell says.
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""
    os.environ["LANG"] = os.environ["LC_ALL"] = "C.UTF-8"


if __name__ == "__main__":
    sys.exit(main())
