"""Plain mode, and what a terminal of few colours shows."""

import re
import threading
import time
from pathlib import Path

import pytest
from rich.color import Color, ColorSystem

from qiao.backends.registry import Backends
from qiao.backends.sensors.history import History
from qiao.backends.sensors.snapshot import Gpu, GpuProcess, Machine, Snapshot
from qiao.tui.app import QiaoApp
from qiao.tui.look.color_depth import Depth, depth_here, fitted
from qiao.tui.look.theme_files import load_themes
from qiao.tui.panes.machine import MachinePane
from qiao.tui.panes.machine_words import machine_words
from qiao.tui.sessions.session import Session
from qiao.workbench.config import Config
from qiao.workbench.document import Document

from .conftest import Terminal
from .driving import HELLO, NARROW, WIDE, in_loop, talk, workbench

PLAIN = Config(model="scripted:echo", plain=True)


@in_loop
async def test_there_is_one_column_and_a_pane_takes_its_place(home: Path) -> None:
    async with workbench(talk(*HELLO), size=WIDE, config=PLAIN) as bench:
        await bench.see("Capital of France?")
        assert "MODELS" not in bench.text()
        assert "SAMPLING" not in bench.text()
        await bench.press("s")
        await bench.see("SAMPLING")
        assert "Capital of France?" not in bench.text()
        await bench.press("escape")
        await bench.see("Capital of France?")


@in_loop
async def test_one_line_says_what_happens(home: Path) -> None:
    async with workbench(talk(*HELLO), config=PLAIN) as bench:
        await bench.see("message 2 of 2, user")
        await bench.press("k")
        await bench.see("message 1 of 2, system")
        release = threading.Event()
        bench.scripted.enqueue("Paris it is.", hold=release)
        await bench.press("j", "r")
        await bench.see("message 3 of 3, assistant, an answer is coming")
        release.set()
        await bench.see("assistant, take 1 of 1, stop")
        await bench.press("u")
        await bench.see("undone")
        line = next(number for number, text in enumerate(bench.lines()) if "undone" in text)
        assert line == len(bench.lines()) - 2


@in_loop
async def test_a_long_notice_is_said_to_its_end_and_leaves_its_room_again(home: Path) -> None:
    async with workbench(talk(*HELLO), size=NARROW, config=PLAIN) as bench:
        bench.app.tell("What happened, to which file or model, and what to do next. " * 3 + "All of it.")
        await bench.see("All of it.")
        height = bench.app.workbench.transcript.size.height
        bench.app.tell("Short.")
        await bench.until(lambda: bench.app.workbench.transcript.size.height > height, "its room")


@in_loop
async def test_the_machine_is_told_in_words_that_stand_still(home: Path) -> None:
    async with workbench(talk(*HELLO), config=PLAIN) as bench:
        await bench.press("S")
        await bench.see(" % busy", "memory ", " of ")
        lines = [line.strip() for line in bench.lines()]
        memory = next(line for line in lines if line.startswith("memory "))
        assert not [line for line in lines if re.fullmatch(r"[\d.]+ ?[%KMGT]?", line)]
        pane = bench.app.workbench.query_one(MachinePane)
        pane.show(Snapshot(time=0.0, machine=Machine(memory_used=1 << 30, memory_total=1 << 33)), History())
        await bench.pilot.pause(0.1)
        assert memory in bench.text()
        await bench.press("escape")
        await bench.see("Capital of France?")
        await bench.press("S")
        await bench.see(" % busy")


def test_each_figure_of_a_gpu_says_what_it_counts() -> None:
    gpu = Gpu(
        index=0,
        name="NVIDIA H200",
        utilization=83,
        memory_used=12 << 30,
        memory_total=141 << 30,
        temperature_c=54,
        power_w=301.4,
        clock_mhz=1980,
        processes=(GpuProcess(7, "li", "python", 10 << 30),),
    )
    said = ["".join(run.text for run in line) for line in machine_words(Snapshot(time=0.0, gpus=(gpu,)), (), 60)]
    assert said[:7] == [
        "GPU 0 H200",
        "83 % busy",
        "memory 12G of 141G",
        "temperature 54 °C",
        "power 301 watts",
        "clock 1.98 GHz",
        "li: python, process 7, 10G",
    ]


def test_the_program_draws_nothing_in_it(home: Path, tmp_path: Path) -> None:
    terminal = Terminal("--plain", "talk.toml", cwd=tmp_path)
    try:
        terminal.wait("Nothing is written yet.")
        terminal.wait("quit")
        for keys, words in (("", "quit"), ("s", "unset"), ("\x1b:", "any action"), ("\x1b?", "MOVING")):
            terminal.send(keys)
            terminal.wait(words)
            time.sleep(0.3)
            assert not [char for char in terminal.text() if 0x2190 <= ord(char) < 0x2600], keys
    finally:
        terminal.close()


@pytest.mark.parametrize("name", ["ink", "paper"])
def test_with_256_colours_page_panel_and_selection_differ_and_text_stands_out(name: str) -> None:
    theme = fitted(next(theme for theme in load_themes().themes if theme.name == name), "256")
    grounds = [theme.colors.page, theme.colors.panel, theme.colors.selection]
    assert len({Color.parse(ground).downgrade(ColorSystem.EIGHT_BIT).number for ground in grounds}) == 3
    for ink in ("text", "muted", "faint"):
        for ground in grounds:
            assert contrast(getattr(theme.colors, ink), ground) >= 4.5, (ink, ground)


def contrast(one: str, other: str) -> float:
    """By WCAG 2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    parts = [part / 255 for part in Color.parse(color).get_truecolor()]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("term", "colorterm", "depth"),
    [("screen", "", "16"), ("xterm-256color", "", "256"), ("xterm-256color", "truecolor", "truecolor")],
)
def test_the_terminals_colours_are_told(term: str, colorterm: str, depth: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLORTERM", colorterm)
    assert depth_here() == depth


@in_loop
async def test_the_row_that_is_selected_is_reversed_where_it_has_no_ground_of_its_own(home: Path) -> None:
    async with workbench(talk(*HELLO), config=Config(model="scripted:echo", theme="plain")) as bench:
        await bench.press("m")
        await bench.see("MODELS")
        rows = bench.app.workbench.query_one("#model-rows")
        lines = [rows.render_line(y) for y in range(rows.size.height)]
        reversed_lines = [line for line in lines if any(s.style and s.style.reverse for s in line)]
        assert len(reversed_lines) == 1
        assert all(segment.style and segment.style.reverse for segment in reversed_lines[0])


@pytest.mark.parametrize(
    ("config", "depth", "theme"),
    [
        (Config(), "16", "plain"),
        (Config(), "256", "ink"),
        (Config(theme="paper"), "16", "paper"),
        (Config(plain=True), "truecolor", "plain"),
    ],
)
def test_the_theme_is_plain_by_itself_where_few_colours_are_to_be_had(config: Config, depth: Depth, theme: str) -> None:
    app = QiaoApp([Session(Document.untitled())], Backends(config), config, depth=depth)
    assert app.theme == theme
