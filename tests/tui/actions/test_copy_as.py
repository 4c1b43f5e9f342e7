"""Copying as something else, by keys."""

import json
from pathlib import Path

from qiao.workbench import paths

from ..driving import in_loop, talk, workbench

BLOCKS = "```py\na\n```\nand\n```py\nprint('hi')\n```"
ASKED = talk(("user", "Say {{word}}."), ("assistant", BLOCKS), ("user", "Thanks."))


@in_loop
async def test_the_conversation_up_to_here_as_messages(tmp_path: Path) -> None:
    async with workbench(ASKED, tmp_path / "t.toml") as bench:
        await bench.press("g", "Y")
        await bench.see("Copy as")
        await bench.press("m")
        await bench.see("copied,")
        assert json.loads(bench.app.clipboard)["messages"] == [{"role": "user", "content": "Say {{word}}."}]
        assert (paths.data_dir() / "copied.txt").read_text() == bench.app.clipboard


@in_loop
async def test_the_last_block_of_code(tmp_path: Path) -> None:
    async with workbench(ASKED, tmp_path / "t.toml") as bench:
        await bench.press("k", "Y", "b")
        await bench.until(lambda: bench.app.clipboard == "print('hi')\n")
        await bench.press("j", "Y", "b")
        await bench.see("There is no block of code")


@in_loop
async def test_a_request_as_curl_and_python(tmp_path: Path) -> None:
    asked = talk(("user", "Hi there"), model="bailian:qwen-plus")
    async with workbench(asked, tmp_path / "t.toml") as bench:
        await bench.press("Y", "c")
        await bench.until(lambda: bench.app.clipboard.startswith("curl -N https://"))
        await bench.press("Y", "p")
        await bench.until(lambda: "OpenAI(" in bench.app.clipboard)
        assert "Hi there" in bench.app.clipboard
