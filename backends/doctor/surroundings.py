"""The environment: proxies, mirrors, caches and hidden GPUs, as variables say."""

import importlib.util
from collections.abc import Mapping
from urllib.parse import urlsplit

from ...workbench.visible import visible_line
from ...workbench.words import say
from .finding import Finding

PROXIES = ("http_proxy", "https_proxy", "all_proxy")
HUBS = (
    "HF_ENDPOINT",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_HUB_OFFLINE",
    "MODELSCOPE_CACHE",
    "MODELSCOPE_DOMAIN",
    "QIAO_HOME",
)
HIDING = ("CUDA_VISIBLE_DEVICES", "ASCEND_RT_VISIBLE_DEVICES")


def look_at_environment(environ: Mapping[str, str]) -> list[Finding]:
    """The variables that are set and matter."""
    proxies = [_proxy(name, value, environ) for name in PROXIES for value in [_either(environ, name)] if value]
    hubs = [_hub(name, environ[name]) for name in HUBS if environ.get(name)]
    hiding = [_hiding(name, environ[name]) for name in HIDING if name in environ]
    return [*proxies, *hubs, *hiding] or [
        Finding("environment", say("doctor.title_variables"), "ok", say("doctor.plain"))
    ]


def _either(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""


def _proxy(name: str, value: str, environ: Mapping[str, str]) -> Finding:
    shown = without_password(value)
    if value.startswith("socks") and importlib.util.find_spec("socksio") is None:
        return Finding(name, name, "warn", say("doctor.proxy_socks", proxy=shown), say("doctor.proxy_socks_do"))
    spared = {host.strip() for host in _either(environ, "no_proxy").split(",")}
    if name != "https_proxy" and not spared & {"localhost", "127.0.0.1", "*"}:
        return Finding(name, name, "warn", say("doctor.proxy_catches", proxy=shown), say("doctor.proxy_catches_do"))
    return Finding(name, name, "ok", shown)


def _hub(name: str, value: str) -> Finding:
    shown = without_password(value)
    if name == "HF_ENDPOINT" and not value.startswith(("http://", "https://")):
        return Finding(name, name, "bad", say("doctor.endpoint_wrong", value=shown), say("doctor.endpoint_do"))
    if name == "HF_HUB_OFFLINE" and value.upper() in ("1", "ON", "YES", "TRUE"):
        return Finding(name, name, "warn", say("doctor.offline"), say("doctor.offline_do"))
    return Finding(name, name, "ok", shown)


def _hiding(name: str, value: str) -> Finding:
    if value.strip() in ("", "-1", "NoDevFiles"):
        return Finding(name, name, "warn", say("doctor.hides_all"), say("doctor.hides_all_do", name=name))
    return Finding(name, name, "ok", say("doctor.hides_some", value=visible_line(value)))


def without_password(value: str) -> str:
    """A URL without the name and the password that may stand in it; anything else as it is."""
    try:
        place = urlsplit(value).netloc
    except ValueError:
        place = ""
    account, at, host = place.rpartition("@") if place else value.rpartition("@")
    return visible_line(value.replace(f"{account}{at}", "…@", 1) if at and host else value)
