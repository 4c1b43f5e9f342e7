"""`qiao keys`: typed at a real terminal or piped in, told from where, tried, and never shown."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qiao.backends.keys.store import Keys

from ..keyrings import use_keyring
from ..leaks import leaks
from ..listing_server import ListingServer, listing_server
from ..tui.conftest import Terminal
from .conftest import Ended

KEY, WRONG = "sk-5entinel-0123456789abcdef", "sk-wr0ng-0123456789abcdefgh"
PASSPHRASE = "correct horse battery"


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ListingServer]:
    for name in ("DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND", "MYBOX_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with listing_server(KEY) as started:
        started.configure(home)
        yield started


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        opened.append(Terminal(*arguments, columns=200))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


class Watch:
    """Looks at the arguments of all processes while it is entered."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = [secret.encode() for secret in secrets]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.seen: list[bytes] = []
        self.looked = 0

    def _look(self) -> None:
        while not self._done.wait(0.02):
            for process in Path("/proc").iterdir():
                try:
                    line = (process / "cmdline").read_bytes() if process.name.isdecimal() else b""
                except OSError:
                    continue
                self.looked += bool(line)
                if any(secret in line for secret in self._secrets):
                    self.seen.append(line)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def test_a_key_typed_at_a_terminal_goes_into_the_file_and_leaves_no_trace(
    server: ListingServer, terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    outputs: list[bytes] = []
    with Watch(KEY, WRONG, PASSPHRASE) as watch:
        setting = terminal("keys", "set", "mybox")
        setting.wait("No keyring runs here")
        setting.wait("New passphrase")
        setting.send(f"{PASSPHRASE}\r")
        setting.wait("Once more")
        setting.send(f"{PASSPHRASE}\r")
        setting.wait("Key for mybox (not shown):")
        setting.send(f"{WRONG}\r")
        setting.wait("The key for mybox is kept: encrypted file")
        assert setting.ended() == 0

        # Refused, and quoted by the server.
        testing = terminal("keys", "test", "mybox")
        testing.wait("Passphrase of Qiao's encrypted keys")
        testing.send("not it at all\r")
        testing.wait(lambda text: text.count("Passphrase of") == 2)
        testing.send(f"{PASSPHRASE}\r")
        assert testing.ended() == 3
        assert server.given[-1] == WRONG

        again = terminal("keys", "set", "mybox")
        again.wait("Passphrase of Qiao's encrypted keys")
        again.send(f"{PASSPHRASE}\r")
        again.wait("Key for mybox")
        # As pasted, with the blanks around it.
        again.send(f"  {KEY} \r")
        again.wait("is kept")
        assert again.ended() == 0

        working = terminal("keys", "test", "mybox")
        working.wait("Passphrase of")
        working.send(f"{PASSPHRASE}\r")
        working.wait("mybox takes the key (encrypted file): it lists 2 models.")
        assert working.ended() == 0
        assert server.given[-1] == KEY

        listing = terminal("keys", "list", "mybox")
        listing.wait("locked")
        assert listing.ended() == 0
        # Left without an answer.
        left = terminal("keys", "test", "mybox")
        left.wait("Passphrase of")
        left.send("\x04")
        left.wait("which is locked")
        assert left.ended() == 3
        outputs += [bytes(each.output) for each in (setting, testing, again, working, listing, left)]
    assert watch.looked
    assert not watch.seen
    for secret in (KEY, WRONG, PASSPHRASE):
        assert not leaks(tmp_path, secret)
        assert not any(secret.encode() in output for output in outputs)


def test_a_run_asks_once_for_the_passphrase_and_keeps_no_key(
    server: ListingServer, terminal: Callable[..., Terminal], tmp_path: Path, home: Path
) -> None:
    talk = tmp_path / "talk.toml"
    talk.write_text('qiao = 1\n[[message]]\nrole = "user"\ntext = "Capital of France?"\n', encoding="utf-8")
    outputs: list[bytes] = []
    for key, code, words in ((KEY, 0, "Paris."), (WRONG, 3, "mybox")):
        keys = Keys()
        keys.unlock(PASSPHRASE)
        keys.set("mybox", key, "file")
        running = terminal("run", str(talk), "-m", "mybox:small", "--retake" if code else "--save", "--set", "n=2")
        running.wait("Passphrase of")
        running.send(f"{PASSPHRASE}\r")
        assert running.ended() == code
        running.wait(words)
        assert running.text().count("Passphrase of") == 1
        outputs.append(bytes(running.output))
    assert server.given[0] == KEY
    assert server.given[-1] == WRONG
    assert "Paris." in talk.read_text(encoding="utf-8")
    assert not leaks(tmp_path, KEY, WRONG, PASSPHRASE)
    assert not any(secret.encode() in output for secret in (KEY, WRONG, PASSPHRASE) for output in outputs)


def test_ctrl_c_at_the_question_ends_it_and_nothing_is_kept(
    server: ListingServer, terminal: Callable[..., Terminal], home: Path
) -> None:
    setting = terminal("keys", "set", "mybox")
    setting.wait("New passphrase")
    setting.send("\x03")
    assert setting.ended() == 130
    assert not list(home.rglob("keys.toml"))


def test_a_key_comes_through_a_pipe_too(
    qiao: Callable[..., Ended], server: ListingServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_keyring(monkeypatch, "InFile")
    ended = qiao("keys", "set", "mybox", "--to", "keyring", "--json", stdin=f"{KEY}\nanother line\n")
    assert ended.code == 0
    assert "kept: keyring (InFile)" in ended.err
    assert ended.json["source"] == "keyring"
    assert KEY not in ended.out + ended.err

    assert qiao("keys", "test", "mybox").code == 0
    assert server.given == [KEY]
    (row,) = qiao("keys", "list", "mybox", "--json").json
    assert row["fingerprint"]
    monkeypatch.setenv("MYBOX_API_KEY", WRONG)
    listed = qiao("keys", "list")
    assert "environment, keyring" in listed.out
    assert "MYBOX_API_KEY" in listed.out
    refused = qiao("keys", "test", "mybox", "--json")
    assert refused.code == 3
    assert WRONG not in refused.out + refused.err

    deleted = qiao("keys", "delete", "mybox")
    assert "deleted: keyring" in deleted.err
    assert "MYBOX_API_KEY is set" in deleted.err
    monkeypatch.delenv("MYBOX_API_KEY")
    assert "No key for mybox was kept" in qiao("keys", "delete", "mybox").err
    assert not leaks(tmp_path, WRONG)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("set",), 2, "needs a provider"),
        (("set", "mybax"), 2, "Did you mean mybox?"),
        (("set", "local"), 2, "no provider “local”"),
        (("forget", "mybox"), 2, "can't be “forget”"),
        (("set", "mybox", KEY), 2, "never written on the command line"),
        (("set", "mybox", "--to", "keyring"), 3, "No keyring runs here"),
        (("set", "mybox", "--to", "file"), 3, "typed at a terminal only"),
        (("test", "mybox"), 3, "MYBOX_API_KEY"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(
    qiao: Callable[..., Ended], server: ListingServer, arguments: tuple[str, ...], code: int, words: str
) -> None:
    ended = qiao("keys", *arguments, stdin=f"{KEY}\n")
    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err
    assert KEY not in ended.err


def test_no_key_is_no_key(qiao: Callable[..., Ended], server: ListingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYBOX_API_KEY", "“curly quotes”")
    ended = qiao("keys", "test", "mybox")
    assert ended.code == 2
    assert "$MYBOX_API_KEY: character 1" in ended.err
    assert "curly" not in ended.err
