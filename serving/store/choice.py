"""Which customers of the newest set are chosen, and in which order; and of how many of each kind it consists."""

from __future__ import annotations

from dataclasses import dataclass

from serving.store.rankings import ORDERS


@dataclass(frozen=True)
class Tally:
    """Customers of one kind in the newest set."""

    kind: int
    set_id: int
    value_tier: str
    stage: str | None
    churn_band: str
    dormant: bool
    customers: int
    value_at_risk: float


@dataclass(frozen=True)
class Choice:
    """Which customers, and in which order; an empty tuple chooses all.

    Parameters
    ----------
    tiers, stages, bands : tuples of str
    own : tuple of str
        Keys of values of own columns (`serving.store.own_column.OwnValue`): of each column that has some of them,
        one. Nobody has a key that is none.
    recent : bool
        Leave out the dormant.
    ordered_by : of `serving.store.rankings.ORDERS`, or "own:" and the name of an own column
    ascending : bool
    """

    tiers: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    recent: bool = False
    ordered_by: str = ORDERS[0]
    ascending: bool = False

    def holds(self, kind: Tally) -> bool:
        """Tell whether customers of a kind are chosen, as far as their kind tells."""
        return (
            (not self.tiers or kind.value_tier in self.tiers)
            and (not self.stages or kind.stage in self.stages)
            and (not self.bands or kind.churn_band in self.bands)
            and not (self.recent and kind.dormant)
        )
