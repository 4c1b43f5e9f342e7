"""A server that sends a token an event, as many as are asked for: as fast as they are read, or 200 a second.

    python benchmarks/token_server.py

It prints its port. A request with a `seed` other than 0 is answered at the steady pace; the first token always comes
after FIRST_WAIT_S.
"""

import asyncio
import json

FIRST_WAIT_S = 0.02
PACE_S = 0.005


async def serve() -> None:
    """Answers every request with as many tokens as it asks for; prints its port."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    event = _event({"index": 0, "delta": {"content": " word"}, "logprobs": None, "finish_reason": None})
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            body = json.loads(await reader.readexactly(int(length.partition(b":")[2])))
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                + _event({"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None})
            )
            await asyncio.sleep(FIRST_WAIT_S)
            for _ in range(body["max_tokens"]):
                writer.write(event)
                await writer.drain()
                if body.get("seed"):
                    await asyncio.sleep(PACE_S)
            writer.write(_event({"index": 0, "delta": {}, "finish_reason": "stop"}))
            writer.write(_chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def _event(choice: object) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return _chunk(f"data: {json.dumps(chunk)}\n\n".encode())


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


if __name__ == "__main__":
    asyncio.run(serve())
