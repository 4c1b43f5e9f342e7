"""Reading metrics over real sockets: only while somebody looks, and only from servers that have any."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import pytest

from qiao.backends.vllm import watching
from qiao.backends.vllm.watching import ServerLoad, Watch

FIGURES = "vllm:num_requests_running 2.0\nvllm:num_requests_waiting 1.0\n"


class Place(NamedTuple):
    title: str
    root_url: str
    path: str = "/metrics"


class Served:
    """A server that answers every question with one text."""

    def __init__(self, text: str, status: int = 200) -> None:
        asked = self.asked = [0]

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked[0] += 1
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.place = Place("box", f"http://127.0.0.1:{self.server.server_port}")

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def served() -> Iterator[Callable[..., Served]]:
    made: list[Served] = []

    def make(text: str, status: int = 200) -> Served:
        made.append(Served(text, status))
        return made[-1]

    yield make
    for each in made:
        each.close()


def until(true: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def reading() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "qiao-vllm-metrics"]


def test_figures_come_while_somebody_looks_and_reading_ends_after(
    served: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "FORGOTTEN_SECONDS", 0.2)
    box = served(FIGURES)
    watch = Watch(lambda: [box.place], interval=0.02)
    until(watch.loads)
    (load,) = watch.loads()
    assert (load.title, load.load.running, load.load.waiting, load.reached) == ("box", 2, 1, True)
    until(lambda: not reading())
    asked = box.asked[0]
    until(lambda: watch.loads() and box.asked[0] > asked)
    watch.close()
    until(lambda: not reading())


def test_without_servers_there_is_no_thread() -> None:
    watch = Watch(list)
    assert watch.loads() == ()
    assert not reading()


@pytest.mark.parametrize(("text", "status"), [("Not Found", 404), ("Unauthorized", 401), ("<html>", 200)])
def test_one_that_isnt_vllm_is_asked_once_and_not_shown(served: Callable[..., Served], text: str, status: int) -> None:
    other, box = served(text, status), served(FIGURES)
    watch = Watch(lambda: [other.place, box.place], interval=0.02)
    until(lambda: watch.loads() and box.asked[0] > 5)
    assert [load.root_url for load in watch.loads()] == [box.place.root_url]
    assert other.asked[0] == 1
    watch.close()


def test_one_that_is_gone_says_so_and_comes_back(served: Callable[..., Served]) -> None:
    box = served(FIGURES)
    places = [Place("box", "http://127.0.0.1:9")]
    watch = Watch(lambda: places, interval=0.02)

    def latest() -> ServerLoad | None:
        return next(iter(watch.loads()), None)

    until(lambda: (load := latest()) and not load.reached)
    places[0] = box.place
    until(lambda: (load := latest()) and load.reached and load.load.running == 2)
    watch.close()
