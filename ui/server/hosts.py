"""Under which names the server answers, and which pages may open its socket.

A stranger's page whose name is made to point at this machine (DNS rebinding) asks under that name: it is refused. A
stranger's page that opens our WebSocket tells its own origin: it is refused without asking anybody anything.
"""

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

LOCAL = ("localhost", "127.0.0.1", "::1")
# Streamlit's Community Cloud starts `streamlit run app.py` and lets nobody set a variable before; below its own name
# no stranger can make a name point anywhere.
CLOUD = "*.streamlit.app"


def host_allowed(host: str | None, hosts: Iterable[str]) -> bool:
    """Whether the Host header names this machine itself or one of `hosts` ("*.example.org": every name below)."""
    parts = _parts(f"//{host or ''}")
    return parts is not None and parts.netloc == host and _named(_name(parts), (*LOCAL, CLOUD, *hosts))


def origin_allowed(origin: str | None, host: str | None, hosts: Iterable[str]) -> bool:
    """Whether a page of `origin` may open the socket: the same host and port, or a name of the operator's.

    No origin: no browser, and so no visitor whose browser could be misused.
    """
    if origin is None:
        return True
    parts = _parts(origin)
    if parts is None or parts.scheme not in ("http", "https"):
        return False
    return parts.netloc.lower() == (host or "").lower() or _named(_name(parts), hosts)


def _parts(address: str) -> SplitResult | None:
    """The parts of an address that has a host, a numeric port or none, and nobody's password."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises where it is no port
    except ValueError:
        return None
    return parts if parts.hostname and "@" not in parts.netloc else None


def _name(parts: SplitResult) -> str:
    return (parts.hostname or "").lower().rstrip(".")


def _named(name: str, hosts: Iterable[str]) -> bool:
    return any(name == host or (host.startswith("*.") and name.endswith(host[1:])) for host in hosts)
