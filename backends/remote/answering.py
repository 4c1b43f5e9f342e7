"""One answer as it is fetched: a coroutine of the loop, which hands its events to another thread."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...workbench.conversation import Timing, Usage
from ...workbench.errors import QiaoError
from ...workbench.seam import Event, Failed, Finished, Progress, Request, Started, Text, Thinking
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..providers import is_near
from .body import Body, body
from .chunks import ChunkReader, Complained
from .failures import About, Refusal, Trouble, of_complaint, of_exception, of_reply
from .knowledge import Knowledge
from .reading import Reading
from .retrying import LONGEST_SECONDS, MOST_TRIES, Retries, wanted_seconds
from .server import Endpoint
from .watching import SENT, sending

if TYPE_CHECKING:
    from openai import AsyncOpenAI

PROBE_SECONDS = 5.0
"""After so long without a sign, a server nearby is asked whether it is still there."""

Ready = Callable[[Endpoint], Awaitable["AsyncOpenAI"]]


class Answering:
    """Fetches one answer.

    Args:
        request: what is asked.
        endpoint: where it is asked.
        client: gives the client for a server.
        knowledge: what was learned about this provider's models.
        context_length: of the model, as far as it is known.
        emit: takes the events, in the loop's thread.
    """

    def __init__(
        self,
        request: Request,
        endpoint: Endpoint,
        client: Ready,
        knowledge: Knowledge,
        context_length: int | None,
        emit: Callable[[Event], None],
    ) -> None:
        self._request = request
        self._endpoint = endpoint
        self._client = client
        self._knowledge = knowledge
        self._context_length = context_length
        self._emit = emit
        self._about = About(endpoint, str(request.address))
        self._reader = ChunkReader()
        self._sent = 0.0
        """When this try was sent; on a monotonic clock, as all moments here."""
        self._first: float | None = None
        self._first_answer: float | None = None
        self._last = 0.0
        """When anything of the answer came last."""

    async def run(self) -> None:
        """Emits all events, a Finished or Failed last. Raises nothing but being cancelled."""
        try:
            await self._run()
        except Trouble as trouble:
            self._emit(trouble.refusal.failed())
        except Refusal as refusal:
            self._emit(refusal.failed())
        except QiaoError as error:
            self._emit(Failed("invalid_request", str(error)))

    def so_far(self) -> tuple[Usage, Timing]:
        """Tokens and timings of what has come, from any thread: for an answer that is stopped."""
        return self._reader.usage(self._request.address.name), self._timing()

    async def _run(self) -> None:
        name, provider = self._request.address.name, self._endpoint.provider
        retries = Retries()
        hung_up = False
        while True:
            mode, counts = self._knowledge.mode(name), self._knowledge.counts
            try:
                length = self._context_length
                sent = body(provider, self._request, mode, counts=counts, context_length=length)
                return await self._once(sent)
            except Trouble as trouble:
                if self._first is not None:
                    raise
                complaint = trouble.complaint
                if mode == "chat" and provider.completion_instead and complaint and complaint.lacks_template:
                    self._knowledge.is_base(name)
                    continue
                if counts and complaint and complaint.refuses_counts:
                    self._knowledge.counts = False
                    continue
                if trouble.refusal.key == "remote.hung_up" and not hung_up:
                    # A connection kept from an earlier request, to a server that has restarted since.
                    hung_up = True
                    continue
                wait = retries.wait(trouble.wait) if trouble.again else None
                if wait is None:
                    if trouble.wait is not None and trouble.wait > LONGEST_SECONDS:
                        raise Trouble(trouble.refusal.with_more(_asked_to_wait(trouble.wait))) from None
                    raise
                await self._count_down(wait, trouble.refusal, retries.tries)

    async def _count_down(self, seconds: float, refusal: Refusal, number: int) -> None:
        end = self._now() + seconds
        note = say("remote.again", reason=say(f"remote.again_{refusal.kind}"), number=number, most=MOST_TRIES)
        total = math.ceil(seconds)
        while (left := end - self._now()) > 0:
            self._emit(Progress("retrying", total - math.ceil(left), total, note))
            await asyncio.sleep(left % 1 or 1)

    async def _once(self, sent: Body) -> None:
        """One try.

        Raises:
            Trouble: it failed.
        """
        import httpx2
        import openai

        name = self._request.address.name
        inline = sent.mode == "chat" and self._knowledge.thinks_inline and not sent.continues
        self._reader = ChunkReader(inline=inline, opened=inline and self._knowledge.opens(name, sent.sampling.thinking))
        self._emit(Progress("connecting"))
        endpoint = self._endpoint if sent.base_url is None else self._endpoint._replace(base_url=sent.base_url)
        client = await self._client(endpoint)
        sending.set(self._told)
        self._sent = self._last = self._now()
        self._emit(Started(sent.mode, sent.sampling, context_length=self._context_length))
        watch = asyncio.create_task(self._watch(client)) if self._probed else None
        arrived = False
        try:
            async with _reply(client, name, sent) as reply:
                arrived = True
                await Reading(self._reader, self._about, self._emit_pieces).read(reply)
        except openai.APIStatusError as error:
            wait = wanted_seconds(error.response.headers)
            raise of_reply(self._about, error.status_code, error.response.content, wait) from None
        except (openai.APIConnectionError, httpx2.HTTPError, UnicodeError) as error:
            raise of_exception(self._about, error, arrived=arrived) from None
        except Complained as error:
            raise of_complaint(self._about, error.complaint) from None
        finally:
            self._emit_pieces(self._reader.flush())
            if watch is not None:
                watch.cancel()
        self._finish()

    async def _told(self, step: str, _: dict[str, Any]) -> None:
        if step.endswith(SENT):
            self._emit(Progress("waiting"))

    def _emit_pieces(self, pieces: Sequence[Text | Thinking]) -> None:
        if not pieces:
            return
        self._last = self._now()
        if self._first is None:
            self._first = self._last
        for piece in pieces:
            if self._first_answer is None and isinstance(piece, Text):
                self._first_answer = self._last
            self._emit(piece)

    def _finish(self) -> None:
        reader, name = self._reader, self._request.address.name
        if reader.closes_unopened:
            self._knowledge.begins_inside(name)
        if reader.ending == "error":
            said = visible_line(str(reader.finish))
            raise Trouble(Refusal("remote.gave_up", "server_error", host=self._endpoint.host, said=said), again=True)
        self._emit(Finished(reader.ending, reader.usage(name), self._timing()))

    def _timing(self) -> Timing:
        def since(moment: float | None) -> float | None:
            return None if moment is None else round((moment - self._sent) * 1000, 1)

        usage = self._reader.usage("")
        count, first = usage.completion_tokens or 0, self._first
        decoding = 0.0 if first is None else self._last - first
        return Timing(
            first_token_ms=since(first),
            first_answer_ms=since(self._first_answer),
            total_ms=since(self._last),
            # Without the server's own count there is no telling how many tokens a piece was.
            tokens_per_second=round((count - 1) / decoding, 2)
            if self._reader.usage_came and count > 1 and decoding > 0
            else None,
        )

    @property
    def _probed(self) -> bool:
        return self._endpoint.provider.health is not None and is_near(self._endpoint.base_url)

    async def _watch(self, client: "AsyncOpenAI") -> None:
        """Tells when the server has gone: one that is being ended keeps its streams open, without a word."""
        import httpx2
        import openai

        # A task of its own, but with a copy of this one's context: its requests aren't the answer's.
        sending.set(None)
        url = f"{self._endpoint.root}{self._endpoint.provider.health}"
        while True:
            await asyncio.sleep(max(PROBE_SECONDS - (self._now() - self._last), PROBE_SECONDS / 5))
            if self._now() - self._last < PROBE_SECONDS:
                continue
            try:
                await client.get(url, cast_to=httpx2.Response, options={"timeout": PROBE_SECONDS})
            except openai.APITimeoutError:
                continue
            except openai.APIStatusError as error:
                if error.status_code < 500:
                    continue
            except (openai.APIConnectionError, httpx2.HTTPError):
                pass
            else:
                continue
            self._emit(Refusal("remote.went_away", "engine_died", host=self._endpoint.host).failed())
            return

    @staticmethod
    def _now() -> float:
        return time.monotonic()


def _asked_to_wait(seconds: float) -> str:
    return say("remote.asks_to_wait", minutes=math.ceil(seconds / 60))


def _reply(client: "AsyncOpenAI", model: str, sent: Body) -> Any:
    """The reply, opened: its bytes are read as they come."""
    if sent.mode == "completion":
        create = client.completions.with_streaming_response.create
        return create(model=model, prompt=sent.prompt, stream=True, extra_body=sent.fields)
    messages: Any = sent.messages
    return client.chat.completions.with_streaming_response.create(
        model=model, messages=messages, stream=True, extra_body=sent.fields
    )
