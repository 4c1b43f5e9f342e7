"""Adding a provider to the person's settings, with all that stands in the file left as it is."""

import ipaddress
import re
from collections.abc import Collection
from contextlib import suppress
from urllib.parse import urlsplit

from .config import NAME, Provider
from .errors import QiaoError, Unreadable
from .paths import config_dir
from .saving import Unsaved, read, write
from .toml_source import parsed
from .toml_writing import dumps
from .visible import visible_line

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_RANDOM = re.compile(r"(?=(?:[^0-9]*[0-9]){2})[A-Z0-9]{16,}")
"""A part of a name that nobody chose: long, with digits among its letters."""


def base_url(text: str) -> str:
    """The base URL that a person means: `box:8000` is `http://box:8000/v1`, a path stands as it is.

    Raises:
        QiaoError: it is no URL that a server could have, or holds a secret. It isn't repeated: a key may be in it.
    """
    text = text.strip()
    wrong = QiaoError("provider_setting.no_url")
    if "://" not in text:
        text = f"{'http' if _is_near(text) else 'https'}://{text}"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s\x00-\x1f\x7f]", text):
        raise wrong
    if parts.username is not None or parts.query or parts.fragment:
        # A key in a URL would end up in files and logs.
        raise QiaoError("provider_setting.secret_in_url")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or '/v1'}"


def _is_near(text: str) -> bool:
    """Whether it is a machine of one's own, which seldom has a certificate: an address of a private network, a bare
    name, or anything with a port."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_private
    return port is not None or "." not in host


def provider_name(text: str, url: str, taken: Collection[str]) -> str:
    """The name of the new provider: as typed, else the server's own.

    Raises:
        QiaoError: no provider can be called so, or one is already.
    """
    text = text.strip()
    if not text:
        host = urlsplit(url).hostname or ""
        labels = [label for label in host.split(".") if label not in ("api", "www")]
        text = re.sub(r"[^a-z0-9-]", "", labels[0] if labels else "") if not _is_number(host) else "server"
        stem, number = text or "server", 2
        text = stem
        while text in taken:
            text, number = f"{stem}{number}", number + 1
    if not _NAME.fullmatch(text):
        # Not repeated: it may be a key, pasted into the wrong line.
        raise QiaoError("provider_setting.no_name")
    if text in taken:
        raise QiaoError("provider_setting.taken", name=text)
    return text


def _is_number(host: str) -> bool:
    with suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False


def key_variable(text: str) -> str | None:
    """The environment variable that a person named for the key; None: none was named.

    Raises:
        QiaoError: it doesn't look like the name of a variable. It isn't repeated: it may be the key itself.
    """
    text = text.strip()
    if not text:
        return None
    if not _VARIABLE.fullmatch(text) or any(_RANDOM.fullmatch(part) for part in text.split("_")):
        raise QiaoError("provider_setting.no_variable")
    return text


def add_provider(name: str, provider: Provider) -> None:
    """Writes `[provider.NAME]` at the end of `config.toml`; what stands in it stays to the letter.

    Raises:
        Unsaved: the file can't be written, or can't be understood, or has such a table already.
        ChangedOnDisk: another program changed it in this moment.
    """
    folder = config_dir()
    path = folder / NAME
    unsaved = Unsaved("document.config_not_written", file=visible_line(str(path)), setting=f"provider.{name}")
    try:
        data, digest = read(path)
    except Unreadable as error:
        if error.key != "document.not_found":
            raise unsaved from None
        data, digest = b"", None
    table = {"base_url": provider.base_url, "key_env": provider.key_env}
    table = {key: value for key, value in table.items() if value is not None}
    lines = [f"[provider.{name}]", *dumps(table).decode().splitlines()]
    try:
        before = parsed(data, str(path))
        others = before.get("provider", {})
        if not isinstance(others, dict) or name in others:
            raise unsaved
        gap = b"" if not data.strip() else b"\n" if data.endswith(b"\n") else b"\n\n"
        changed = data + gap + "\n".join(lines).encode() + b"\n"
        # Tables may be written in other ways, which can't be added to at the end: what counts is how it reads.
        if parsed(changed, str(path)) != {**before, "provider": {**others, name: table}}:
            raise unsaved
    except Unreadable:
        raise unsaved from None
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    write(path, changed, digest)
