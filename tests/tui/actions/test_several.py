"""Several messages at once, by keys."""

import json
from pathlib import Path

from ..driving import in_loop, talk, workbench

FOUR = (("user", "one"), ("assistant", "two"), ("user", "three"), ("assistant", "four"))


@in_loop
async def test_marked_messages_are_muted_moved_and_deleted_together(tmp_path: Path) -> None:
    async with workbench(talk(*FOUR), tmp_path / "t.toml") as bench:
        await bench.press("g", "space", "space")
        await bench.until(lambda: bench.text().count("marked") == 2)
        await bench.press("M")
        await bench.until(lambda: [m.muted for m in bench.session.messages] == [True, True, False, False])
        await bench.press("J")
        await bench.until(lambda: [m.said for m in bench.session.messages] == ["three", "one", "two", "four"])
        await bench.press("d")
        await bench.saved(("user", "three"), ("assistant", "four"))
        await bench.press("u", "u", "u")
        await bench.saved(*FOUR)
        assert not any(m.muted for m in bench.session.messages)


@in_loop
async def test_a_pair_is_copied_and_put_in_elsewhere(tmp_path: Path) -> None:
    async with workbench(talk(*FOUR), tmp_path / "t.toml") as bench:
        await bench.press("g", "space", "space", "y")
        await bench.see("2 messages copied")
        assert bench.app.clipboard == "one\n\ntwo"
        await bench.press("escape")
        await bench.until(lambda: "marked" not in bench.text())
        await bench.press("G", "P")
        await bench.saved(*FOUR, *FOUR[:2])
        assert bench.session.index == 5


@in_loop
async def test_pasted_json_becomes_messages(tmp_path: Path) -> None:
    async with workbench(talk(*FOUR[:2]), tmp_path / "t.toml") as bench:
        pairs = [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]
        await bench.paste(json.dumps({"messages": pairs}, indent=1))
        await bench.saved(*FOUR[:2], ("user", "2+2?"), ("assistant", "4"))
        await bench.see("2 messages put in from JSON")
        await bench.paste('{"answer": 4}')
        await bench.press("escape")
        await bench.saved(*FOUR[:2], ("user", "2+2?"), ("assistant", "4"), ("user", '{"answer": 4}'))
