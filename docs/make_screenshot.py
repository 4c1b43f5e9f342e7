"""Makes docs/screenshot.svg: the workbench with the starter model's own answers, driven by keys.

    python docs/make_screenshot.py

Fetches the starter if it isn't here. The picture refers to no font on the network: the reader's own monospace is used.
"""

import asyncio
import os
import re
import tempfile
from pathlib import Path

SIZE = (120, 34)
TARGET = Path(__file__).with_name("screenshot.svg")


async def take_picture(folder: Path) -> str:
    """Drives the program, and returns the picture as SVG."""
    from qiao.backends.registry import Backends
    from qiao.tui.app import QiaoApp
    from qiao.tui.sessions.session import Session
    from qiao.workbench.config import Config
    from qiao.workbench.conversation import Conversation, Message
    from qiao.workbench.conversation_file import dumps
    from qiao.workbench.document import Document
    from qiao.workbench.sampling import Sampling

    conversation = Conversation(
        title="Capitals",
        model="local:starter",
        sampling=Sampling(temperature=0.2, max_tokens=60),
        variables={"country": "France"},
        messages=(
            Message(role="system", text="You are a careful geographer. Answer in one short sentence."),
            Message(role="user", text="What is the capital of {{country}}?"),
        ),
    )
    path = folder / "capitals.toml"
    path.write_bytes(dumps(conversation))
    backends = Backends(Config())
    app = QiaoApp([Session(Document.open(path))], backends, Config())
    async with app.run_test(size=SIZE) as pilot:
        session = app.workbench.session

        async def answered() -> None:
            while session.runs:
                await pilot.pause(0.2)

        await pilot.pause(0.5)
        for _ in range(2):
            await pilot.press("r")
            await answered()
        # Long enough for the sparklines to say something.
        await pilot.pause(3)
        await pilot.press("a")
        for char in "And which river runs through it?":
            await pilot.press("space" if char == " " else "question_mark" if char == "?" else char)
        await pilot.pause(1.5)
        picture = app.export_screenshot(title="qiao")
    backends.close()
    return picture


def without_remote_fonts(svg: str) -> str:
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S)
    return svg.replace("Fira Code", "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas")


def main() -> None:
    os.environ.setdefault("LANG", "C.UTF-8")
    with tempfile.TemporaryDirectory() as folder:
        TARGET.write_text(without_remote_fonts(asyncio.run(take_picture(Path(folder)))), encoding="utf-8")


if __name__ == "__main__":
    main()
