"""What of the machine is used for a piece of work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """What of the machine is used."""

    threads: int | None = None
    """None: all processors."""
    niceness: int = 0

    @property
    def arguments(self) -> list[str]:
        return [] if self.threads is None else ["--threads", str(self.threads)]


ALL_OF_IT = Effort()
