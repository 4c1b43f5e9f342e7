"""The model picker driven by keys: parts by provider, folding, asking, the filter, fetching, what its foot tells."""

import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from qiao.tui.app import QiaoApp
from qiao.tui.keeping import keeper
from qiao.tui.sessions.session import Session
from qiao.workbench.address import Address
from qiao.workbench.conversation_file import dumps
from qiao.workbench.document import Document
from qiao.workbench.errors import Refused
from qiao.workbench.seam import Model

from ..driving import HELLO, NARROW, WIDE, Bench, driven, in_loop, talk
from .providers import HERE, Providers, local, remote

SMALL = local("small", state="loaded")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)


@asynccontextmanager
async def picker(backends: Providers, path: Path, size: tuple[int, int] = WIDE) -> AsyncIterator[Bench]:
    path.write_bytes(dumps(talk(*HELLO, model="local:small")))
    app = QiaoApp([Session(Document.open(path))], backends, backends.settings)
    async with driven(app, backends.scripted, path, size) as bench:
        await bench.press("m")
        await bench.see("/ filter")
        yield bench


def row(bench: Bench, name: str) -> str:
    """The line of the picker that this name stands in."""
    width = 28 if bench.app.size.width > 100 else 34
    return next((line[:width] for line in bench.lines() if name in line[:width]), "")


async def go_to(bench: Bench, name: str) -> None:
    """Moves down to the row of this name."""
    await bench.press("g")
    for _ in range(80):
        if any(line.startswith("▌") and name in line for line in bench.lines()):
            return
        await bench.press("j")
    raise AssertionError(f"no row {name}:\n{bench.text()}")


@in_loop
async def test_a_provider_is_asked_by_enter_and_its_models_are_used(path: Path) -> None:
    backends = Providers((HERE, remote("cloud", "Cloud Nine")), [SMALL], {"cloud": ["big", "bigger"]})
    async with picker(backends, path) as bench:
        assert "not asked" in row(bench, "Cloud Nine")
        assert not backends.asked
        backends.hold.clear()
        await go_to(bench, "Cloud Nine")
        await bench.see("https://cloud.example/v1")
        await bench.press("enter")
        await bench.see("asking…")
        backends.hold.set()
        await bench.see("· big", "· bigger")
        assert "2" in row(bench, "Cloud Nine")
        await go_to(bench, "bigger")
        await bench.press("enter")
        await bench.until(lambda: bench.on_disk().model == "cloud:bigger")
        bench.scripted.enqueue("Paris.")
        await bench.press("r")
        await bench.see("Paris.")
        assert bench.scripted.requests[0].address == Address("cloud", "bigger")


@in_loop
async def test_a_provider_that_cannot_be_asked_says_why_and_is_tried_again(path: Path) -> None:
    trouble = Refused("asking.failed", message="Nobody answers at box:1.")
    backends = Providers((HERE, remote("cloud")), [SMALL], {"cloud": trouble})
    async with picker(backends, path) as bench:
        await go_to(bench, "cloud")
        await bench.press("enter")
        await bench.until(lambda: "failed" in row(bench, "cloud"), "the failure")
        await bench.see("Nobody answers at box:1.")
        backends.behind["cloud"] = ["big"]
        await bench.press("enter")
        await bench.see("· big")
        assert "failed" not in row(bench, "cloud")


@in_loop
async def test_a_missing_key_is_asked_for_but_not_while_something_is_typed(path: Path) -> None:
    trouble = Refused("asking.failed", message="No key.")
    backends = Providers((HERE, remote("bailian", needs_key=True)), [SMALL], {"bailian": trouble})
    async with picker(backends, path) as bench:
        backends.hold.clear()
        await go_to(bench, "bailian")
        await bench.press("enter")
        await bench.see("asking…")
        await bench.press("tab", "tab", "a")
        backends.hold.set()
        await bench.see("▌ No key.")
        await bench.type("Hello")
        await bench.press("escape")
        await bench.until(lambda: bench.said()[-1][1] == "Hello", "the words in the file")
        await bench.press("m")
        await go_to(bench, "bailian")
        await bench.press("enter")
        await bench.see("API key for Bailian")


@in_loop
async def test_asking_is_stopped_by_esc(path: Path) -> None:
    backends = Providers((HERE, remote("cloud")), [SMALL], {"cloud": ["big"]})
    async with picker(backends, path) as bench:
        backends.hold.clear()
        await go_to(bench, "cloud")
        await bench.press("enter")
        await bench.see("asking…", "esc cancel")
        await bench.press("escape")
        await bench.miss("asking…")
        assert "not asked" in row(bench, "cloud")
        assert bench.app.focused is bench.app.workbench.picking.picker.rows


@in_loop
async def test_parts_fold_and_stay_so_in_the_next_run(path: Path) -> None:
    backends = Providers((HERE, remote("cloud", asked=True)), [SMALL, Model(Address("cloud", "big"), "big", "remote")])
    async with picker(backends, path) as bench:
        assert "· big" not in bench.text()
        await go_to(bench, "cloud")
        await bench.press("l")
        await bench.see("· big")
        await go_to(bench, "small")
        await bench.press("h", "h")
        await bench.miss("● small")
        await bench.press("escape")
    async with picker(backends, path) as bench:
        await bench.see("· big")
        assert "● small" not in bench.text()


@in_loop
async def test_the_filter_looks_into_folded_parts_and_enter_takes_the_first(path: Path) -> None:
    names = [f"maker/model-{n}" for n in range(300)]
    models = [SMALL, *(Model(Address("cloud", name), name, "remote") for name in names)]
    backends = Providers((HERE, remote("cloud", "Cloud Nine", asked=True)), models)
    async with picker(backends, path) as bench:
        assert "300" in row(bench, "Cloud Nine")
        await bench.press("slash")
        await bench.type("nine 27")
        await bench.see("model-27", "model-127", "model-270")
        assert "● small" not in bench.text()
        await bench.press("enter", "enter")
        await bench.until(lambda: bench.on_disk().model == "cloud:maker/model-27")
        await bench.press("m", "slash")
        await bench.type("zzz")
        await bench.see("none found")
        await bench.press("escape")
        await bench.see("● small")


@in_loop
async def test_an_address_that_no_list_has_can_be_typed_and_is_found_later(path: Path) -> None:
    backends = Providers((HERE, remote("cloud", "Cloud Nine")), [SMALL])
    async with picker(backends, path) as bench:
        await bench.press("slash")
        await bench.type("stranger:big")
        await bench.see("none found")
        await bench.press("escape", "slash")
        await bench.type("cloud:Big-1")
        await bench.see("use cloud:Big-1")
        await bench.press("enter", "enter")
        await bench.until(lambda: bench.on_disk().model == "cloud:Big-1")
        await bench.press("m", "slash", "ctrl+u")
        await bench.type("small")
        await bench.press("enter", "enter")
        await bench.until(lambda: bench.on_disk().model == "local:small")
        await bench.press("m", "slash", "ctrl+u")
        await bench.type("nine big")
        await bench.see("used lately")
        await bench.press("enter", "enter")
        await bench.until(lambda: bench.on_disk().model == "cloud:Big-1")


@in_loop
async def test_models_used_lately_stand_first(path: Path) -> None:
    models = [SMALL, *(Model(Address("cloud", name), name, "remote") for name in ("big", "huge"))]
    backends = Providers((HERE, remote("cloud", asked=True)), models)
    async with picker(backends, path) as bench:
        await go_to(bench, "cloud")
        await bench.press("l")
        await go_to(bench, "huge")
        await bench.press("enter", "m", "h", "h")
        await bench.until(lambda: "2 ✓" in row(bench, "cloud"), "the folded part to hold the current model")
        assert "used lately" not in bench.text()
        await go_to(bench, "small")
        await bench.press("enter", "m")
        await bench.see("used lately")
        await bench.press("g", "j", "enter")
        await bench.until(lambda: bench.on_disk().model == "cloud:huge")
    async with picker(backends, path) as bench:
        shown = [line[:28].strip(" ▌·●✓") for line in bench.lines()]
        lately = shown.index("used lately")
        assert [name.split()[0] for name in shown[lately + 1 : lately + 3]] == ["small", "huge"]


@in_loop
async def test_an_absent_model_is_fetched_with_its_progress_in_the_row(path: Path) -> None:
    backends = Providers((HERE,), [SMALL, local("later", state="absent")])
    async with picker(backends, path) as bench:
        backends.hold.clear()
        await go_to(bench, "later")
        await bench.see("f fetch")
        await bench.press("f")
        await bench.until(lambda: "42%" in row(bench, "later"), "the progress")
        await bench.see("model.safetensors")
        await bench.press("escape")
        await bench.until(lambda: "42%" not in row(bench, "later"))
        assert "◌" in row(bench, "later")
        backends.hold.set()
        await bench.press("f")
        await bench.until(lambda: "○" in row(bench, "later"), "the model to be here")
        assert backends.fetched == [Address("local", "later")] * 2


@in_loop
async def test_a_model_that_is_not_listed_is_fetched_by_name(path: Path) -> None:
    backends = Providers((HERE,), [SMALL])
    async with picker(backends, path) as bench:
        await bench.press("f")
        await bench.see("Which model?")
        await bench.type("Qwen/Qwen3-4B")
        await bench.press("enter")
        await bench.until(lambda: backends.fetched == [Address("local", "Qwen/Qwen3-4B")])


@in_loop
@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_the_foot_tells_what_fits(path: Path, size: tuple[int, int]) -> None:
    gib = 2**30
    wide = local("Qwen/Qwen2.5-32B-Instruct", needed_bytes=70 * gib, fits=False, parameters=32_800_000_000)
    backends = Providers((HERE,), [SMALL, wide, local("torn", problem="it has no tokenizer", state="failed")])
    async with picker(backends, path, size) as bench:
        assert "70G no fit" in row(bench, "Qwen2.5")
        await go_to(bench, "Qwen2.5")
        await bench.see("local:Qwen/Qwen2.5-32B-In", "33B", "32k context", "needs 70G")
        await go_to(bench, "torn")
        await bench.see("it has no tokenizer")
        assert all(len(line) <= size[0] for line in bench.lines())


@in_loop
async def test_a_server_is_added_in_the_screen_and_asked_at_once(path: Path, home: Path) -> None:
    config = home / "config.toml"
    home.mkdir(exist_ok=True)
    config.write_text('# mine\ntheme = "paper" # nice\n', encoding="utf-8")
    backends = Providers((HERE, remote("cloud")), [SMALL], {"mybox": ["smol"]})
    async with picker(backends, path, NARROW) as bench:
        await bench.press("plus")
        await bench.see("Where it answers")
        await bench.type("127.0.0.1:8000")
        await bench.press("enter")
        await bench.type("cloud")
        await bench.press("enter", "enter")
        await bench.see("There is a provider “cloud” already.")
        await bench.press("ctrl+u")
        await bench.type("mybox")
        await bench.press("enter")
        await bench.type("MYBOX_KEY")
        await bench.press("enter")
        await bench.see("· smol")
        written = config.read_text(encoding="utf-8")
        assert written.startswith('# mine\ntheme = "paper" # nice\n')
        own = {"base_url": "http://127.0.0.1:8000/v1", "key_env": "MYBOX_KEY"}
        assert tomllib.loads(written)["provider"] == {"mybox": own}
        assert backends.asked == ["mybox"]
        assert bench.app.workbench.picking.picker.provider == "mybox"


@in_loop
async def test_a_model_is_served_and_its_server_ended(path: Path) -> None:
    backends = Providers((HERE, remote("vllm", "vLLM")), [SMALL, local("tall")])
    async with picker(backends, path) as bench:
        backends.hold.clear()
        await go_to(bench, "tall")
        await bench.see("V serve")
        await bench.press("V")
        await bench.see("Serve local:tall with vLLM", "--gpu-memory-utilization 0.31")
        await bench.type(" --max-model-len 2k")
        await bench.press("enter")
        await bench.see("loading weights", "42%")
        assert backends.flags == ["--gpu-memory-utilization", "0.31", "--max-model-len", "2k"]
        backends.hold.set()
        await bench.see("vllm:tall is ready")
        await bench.see("▲ tall")
        await go_to(bench, "vLLM")
        await bench.press("j", "x")
        await bench.see("end it")
        await bench.press("e")
        await bench.until(lambda: not backends.running)
        await bench.miss("▲ tall")


@in_loop
async def test_a_server_that_fails_says_why_until_that_is_read(path: Path) -> None:
    backends = Providers((HERE,), [SMALL, local("tall")])
    backends.trouble = Refused("asking.failed", message="Its port is taken. Log: somewhere/vllm.log")
    async with picker(backends, path, NARROW) as bench:
        await go_to(bench, "tall")
        await bench.press("V", "enter")
        await bench.see("Its port is taken.", "somewhere/vllm.log")
        await bench.press("escape")
        await bench.miss("Its port is taken.")
        assert "○" in row(bench, "tall")


@pytest.mark.parametrize(("keys", "words"), [(("tab", "tab", "a"), "Hello"), (("slash",), "tall")])
@in_loop
async def test_a_server_that_fails_waits_with_that_until_nobody_types(
    path: Path, keys: tuple[str, ...], words: str
) -> None:
    backends = Providers((HERE,), [SMALL, local("tall")])
    backends.trouble = Refused("asking.failed", message="Its port is taken.")
    async with picker(backends, path) as bench:
        backends.hold.clear()
        await go_to(bench, "tall")
        await bench.press("V", "enter")
        await bench.see("loading weights")
        await bench.press(*keys)
        backends.hold.set()
        await bench.miss("loading weights")
        await bench.type(words)
        await bench.see(words)
        assert "Its port is taken." not in bench.text()
        await bench.press("escape")
        await bench.see("Its port is taken.")


@in_loop
@pytest.mark.parametrize("key", ["e", "l"])
async def test_leaving_asks_what_becomes_of_a_server(path: Path, key: str) -> None:
    backends = Providers((HERE,), [SMALL, local("tall")])
    async with picker(backends, path) as bench:
        await go_to(bench, "tall")
        await bench.press("V", "enter")
        await bench.see("is ready")
        await bench.press("escape", "q")
        await bench.see("vllm:tall is still being served.")
        await bench.press("escape")
        await bench.miss("still being served")
        assert bench.app.is_running
        await bench.press("q")
        await bench.see("still being served")
        await bench.press(key)
        await bench.until(lambda: bench.app.return_code is not None or bench.app._exit)
        assert backends.left == ([Address("vllm", "tall")] if key == "l" else [])
        assert len(backends.running) == (1 if key == "l" else 0)


@in_loop
async def test_hostile_names_and_problems_are_shown_and_do_nothing(path: Path) -> None:
    hostile = "[red]\x1b[2J\x9b5m\u202eevil"
    source = remote("cloud", hostile, problem=hostile, asked=True)
    backends = Providers((HERE, source), [SMALL, Model(Address("cloud", hostile), hostile, "remote", problem=hostile)])
    async with picker(backends, path) as bench:
        await go_to(bench, "[red]")
        await bench.see("[red]␛[2J")
        assert all(char.isprintable() or char == "\n" for char in bench.text())
        await bench.press("slash")
        await bench.type("evil")
        await bench.see("can't use")
