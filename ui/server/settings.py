"""What the operator may set, read once from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from ui.server import memory
from ui.server.hosts import LOCAL


class SettingError(ValueError):
    """A setting nobody can act on; the message names it and says what it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the server listens, whom it answers, and how many it takes in."""

    port: int = 8501
    address: str = "127.0.0.1"
    visitors: int = memory.MOST_READERS
    hosts: tuple[str, ...] = ()  # names beside localhost under which it may be asked; "*.example.org" for all below
    frame_ancestors: str = "'self'"  # who may show it in a frame, as in a Content-Security-Policy
    open_metrics: bool = False
    grace: float = 20.0  # seconds that open sessions go on after SIGTERM

    @property
    def framed(self) -> bool:
        """Whether pages of other sites may show it, where a browser keeps no ordinary cookies."""
        return self.frame_ancestors not in ("'self'", "'none'")


DEFAULT = Settings()


def settings(environment: Mapping[str, str]) -> Settings:
    """The settings that `environment` asks for. Raises SettingError."""
    port = _number(environment, "PORT", DEFAULT.port, 1, 65535)
    visitors = _number(environment, "HEADLIGHT_VISITORS", memory.readers(memory.available()), 1, 100_000)
    grace = _number(environment, "HEADLIGHT_GRACE", int(DEFAULT.grace), 0, 86_400)
    address = environment.get("HEADLIGHT_ADDRESS", "").strip() or DEFAULT.address
    return Settings(
        port=port,
        address=address,
        visitors=visitors,
        hosts=allowed_hosts(environment),
        frame_ancestors=_ancestors(environment.get("HEADLIGHT_FRAME_ANCESTORS", "")),
        open_metrics=_choice(environment, "HEADLIGHT_METRICS", ("loopback", "open")) == "open",
        grace=float(grace),
    )


def allowed_hosts(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The names in HEADLIGHT_HOSTS, and the address the server listens on if it is one and not all of them."""
    named = environment.get("HEADLIGHT_HOSTS", "").split(",")
    address = environment.get("HEADLIGHT_ADDRESS", "").strip()
    listening = [address] if address not in ("", "0.0.0.0", "::", *LOCAL) else []
    return tuple(name for host in (*named, *listening) if (name := host.strip().lower().rstrip(".")))


def _number(environment: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = environment.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise SettingError(f"{name} must be a whole number from {least} to {most}.")
    return int(text)


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    text = environment.get(name, "").strip() or choices[0]
    if text not in choices:
        raise SettingError(f"{name} must be one of: {', '.join(choices)}.")
    return text


def _ancestors(text: str) -> str:
    """A bare `self` or `none` gets its quotes; what would end the directive or the header is refused."""
    sources = [f"'{source}'" if source in ("self", "none") else source for source in text.split()]
    if any(";" in source or "," in source or not source.isprintable() or not source.isascii() for source in sources):
        raise SettingError("HEADLIGHT_FRAME_ANCESTORS must be addresses separated by spaces, self or none.")
    return " ".join(sources) or DEFAULT.frame_ancestors
