"""What a report is made from besides the log, and the sentences about what is not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from features.economics.acquisition import Spend
from features.economics.cost_table import CostTable
from features.economics.facts import Facts
from features.economics.leads import Leads
from features.economics.money import MoneyUnit
from features.economics.receivables import Receivables
from features.economics.referrals import Referrals
from features.economics.surveys import Surveys
from features.economics.targets import Targets
from features.economics.touches import Touches
from features.language import translatable

KEYS = ["segment", "period", "from", "to", "provisional"]
NO_MARGINS = translatable(
    "Margins are empty: they come from the log's column margin, or from --margin, a share of net revenue."
)

NO_SPEND = translatable(
    "spend.csv (channel, from, to, amount; --spend) adds what acquiring a customer costs, and when a cohort has "
    "paid back."
)


@dataclass(frozen=True)
class CostInputs:
    """What the cost of keeping is computed from: the facts by month, touches, and what they and overhead cost."""

    facts: Facts
    touches: Touches
    table: CostTable


@dataclass(frozen=True)
class Inputs:
    """What there is beside the log.

    Attributes
    ----------
    unit : MoneyUnit
    spend, targets, surveys, leads, referrals, receivables : optional
    unpaid_rates : mapping of ages of receivables to the share that is never paid, in place of the log's own
    channel_of : mapping of customer ids to their acquisition channel, optional
    segment : str, what customers are told apart by; empty for nothing
    margin : str, where margins come from; empty if they are not known
    discount_rate : float, yearly; a real rate where money is real
    potential : mapping of customer ids to their expected value in cents, optional
    potential_high : mapping of customer ids to the upper end of its interval, optional
    tiers : mapping of customer ids to their tier, optional
    wallets : mapping of customer ids to their share of wallet, in [0, 1], optional
    costs : CostInputs, optional
    """

    unit: MoneyUnit = MoneyUnit()
    spend: Spend | None = None
    targets: Targets | None = None
    surveys: Surveys | None = None
    leads: Leads | None = None
    referrals: Referrals | None = None
    receivables: Receivables | None = None
    unpaid_rates: Mapping[str, float] = field(default_factory=dict)
    channel_of: Mapping[str, str | None] | None = None
    segment: str = ""
    margin: str = ""
    discount_rate: float = 0.15
    potential: Mapping[str, int] | None = None
    potential_high: Mapping[str, int] | None = None
    tiers: Mapping[str, str | None] | None = None
    wallets: Mapping[str, float] | None = None
    costs: CostInputs | None = None
