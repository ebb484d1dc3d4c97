"""Where everything is computed and kept: answers by value, long work in a queue, models. Streamlit is not used."""

from ui.compute.room import Room, Work

__all__ = ["Room", "Work", "gauges", "room"]

_ROOM = Room()


def room() -> Room:
    """The room of this process."""
    return _ROOM


def gauges() -> dict[str, float]:
    """What an operator wants to see of the room, by name."""
    return _ROOM.gauges()
