"""Names of the groups that customers are told apart by: tiers of value, and stages of the loyalty ladder.

The module imports the standard library alone, so that a client of the service need not install what computes them.
"""

from typing import Literal, get_args

TierScheme = Literal["value", "bank"]
ValueTier = Literal["vip", "medium", "low"]
BankTier = Literal["top", "threshold", "fence-sitter", "lowest"]
Destroyer = Literal["destroyer"]
Tier = ValueTier | BankTier | Destroyer

DESTROYER: Destroyer = "destroyer"
"""Who costs more than they bring, in the tiers of a bank."""

TIERS_OF: dict[TierScheme, tuple[str, ...]] = {"value": get_args(ValueTier), "bank": get_args(BankTier)}
"""The tiers that customers are cut into by value, the highest first."""

TIER_SHARES: dict[TierScheme, tuple[float, ...]] = {"value": (20, 50, 30), "bank": (11, 22, 39, 28)}
"""Per cent of the customers in each tier, unless settings say otherwise."""

TIERS: tuple[str, ...] = (*TIERS_OF["value"], *TIERS_OF["bank"], DESTROYER)

Stage = Literal["lapsed", "lapsing", "first-time", "repeat", "majority", "loyal", "advocate"]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""Stages of customers; the rungs of the ladder are those from ``first-time`` on."""

LeadStage = Literal["suspect", "prospect"]
"""Stages of leads, who have not bought yet: qualified ones are prospects."""
