"""What a reader is told of a file: why it cannot be used, or how it was understood."""

from dataclasses import dataclass, field

Named = str | int | float


class Refused(ValueError):
    """What cannot be used; `why` is the key of a sentence, `named` what it names."""

    def __init__(self, why: str, **named: Named) -> None:
        super().__init__(why)
        self.why, self.named = why, named

    def again(self) -> "Refused":
        """The same, to raise: one that is kept and raised keeps all that stood wherever it was raised."""
        return Refused(self.why, **self.named)


@dataclass(frozen=True, slots=True)
class Note:
    """How a file was understood; `key` is that of a sentence, `named` what it names."""

    key: str
    named: dict[str, Named] = field(default_factory=dict)


def note(key: str, **named: Named) -> Note:
    """A note in one line."""
    return Note(key, named)
