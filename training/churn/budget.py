"""How long to tune: so many trials, or so many minutes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from features.language import translated


@dataclass(frozen=True)
class Budget:
    """A limit on tuning, in trials or in minutes.

    Parameters
    ----------
    trials : int or None
        In all: a study that is resumed counts the trials it has.
    minutes : float or None
        From now on; the trial that is running then is finished.

    Examples
    --------
    >>> Budget.parse("50"), Budget.parse("10m")
    (Budget(trials=50, minutes=None), Budget(trials=None, minutes=10.0))
    """

    trials: int | None = None
    minutes: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a budget as given on a command line: ``50`` trials, ``10m`` minutes.

        Raises
        ------
        ValueError
            If the text is neither, or nothing.
        """
        found = re.fullmatch(r"(\d+)|(\d+(?:\.\d+)?)m", text.strip())
        if found is None or float(found[1] or found[2]) == 0:
            raise ValueError(
                translated(
                    "{given!r} is no budget; write 50 for 50 trials, or 10m for ten minutes", given=text
                )
            )
        return cls(trials=int(found[1])) if found[1] else cls(minutes=float(found[2]))

    def is_spent(self, trials: int, seconds: float) -> bool:
        """Tell whether so many finished trials, or so much time, use it up."""
        if self.trials is not None:
            return trials >= self.trials
        return self.minutes is not None and seconds >= 60 * self.minutes
