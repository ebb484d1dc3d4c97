"""Sliders of the Order page whose stops the link spells by name; which stops there are depends on the sentence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ui.components.lab import Positions
from ui.state import Setting


@dataclass(frozen=True, slots=True)
class Stops:
    """A slider's stops as the link spells them, and the setting that says at which of them it stands."""

    setting: Setting[str]
    spellings: tuple[str, ...]

    def at(self) -> int:
        """The stop that the link names, else the default, else the last."""
        wanted = (self.setting.value(), self.setting.default)
        spelling = next((spelling for spelling in wanted if spelling in self.spellings), self.spellings[-1])
        return self.spellings.index(spelling)

    def put(self, at: int) -> None:
        """Into the link."""
        self.setting.put(self.spellings[at])


def stops(key: str, values: Iterable[object], default: object) -> Stops:
    """The stops of the slider with this key in the link."""
    return Stops(Setting(key=key, default=str(default), parse=str), tuple(map(str, values)))


def standing(sliders: Mapping[str, Stops]) -> Positions:
    """Where the link says that these sliders stand, by their names."""
    return {name: slider.at() for name, slider in sliders.items()}


def released(sliders: Mapping[str, Stops], at: Positions) -> None:
    """Put where these sliders were left into the link."""
    for name, slider in sliders.items():
        slider.put(at[name])
