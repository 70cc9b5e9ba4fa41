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
from features.economics.tables import Missing
from features.economics.targets import Targets
from features.economics.touches import Touches
from features.language import translatable, translated

KEYS = ["segment", "period", "from", "to", "provisional"]
_MARGINS = translatable("the log's column margin, or --margin, a share of net revenue")
_SCORES = translatable("scored.csv (a list of 'stayworth score'; --scores)")
_CAMPAIGNS = translatable("a folder of campaigns of 'stayworth plan' (--campaigns)")
_COSTS = "costs.toml ([[touchpoints]], [[pools]]; --costs)"
_TOUCHPOINTS = "touchpoints.csv (customer_id, occurred_at, touchpoint, quantity; --touchpoints)"
_CUSTOMERS = "customers.csv (customer_id, acquisition_channel, share_of_wallet; --customers)"
_DEFLATOR = "deflator.csv (month, index; --deflator)"
_LEADS = "leads.csv (lead_id, created_at, channel, qualified, customer_id, converted_at; --leads)"
_RECEIVABLES = (
    "receivables.csv (customer_id, issued_at, due_at, amount, paid_at, paid_amount, written_off_at; "
    "--receivables)"
)
_REFERRALS = "referrals.csv (referrer_id, referred_id, referred_at, reward; --referrals)"
_SPEND = "spend.csv (channel, from, to, amount; --spend)"
_SURVEYS = "surveys.csv (customer_id, answered_at, kind, score, sent_at, about; --surveys)"
_CATEGORY = translatable("the log's column category (--category-column)")
_QUANTITY = translatable("the log's column quantity (--quantity-column)")
_PRODUCT = translatable("the log's column product_id (--product-column)")
_DISCOUNT = translatable(
    "the log's column discount (--discount-column), money by which an amount was reduced"
)
_TARGETS = "targets.csv (indicator, period, segment, target; --targets)"

_FILLS = {
    "margins": (_MARGINS, translatable("margins, and all that is made of them")),
    "targets": (_TARGETS, translatable("what was met and missed")),
    "deflator": (_DEFLATOR, translatable("all money at the prices of the last month")),
    "spend": (
        _SPEND,
        translatable("what acquiring a customer costs, and when a cohort has paid back"),
    ),
    "potential": (
        _SCORES,
        translatable("what customers are expected to bring, and so their lifetime value"),
    ),
    "destroyers": (
        _SCORES,
        translatable(
            "the value destroyers: who is expected to cost more than they bring, why, and what to do"
        ),
    ),
    "tiers": (_SCORES, translatable("tiers")),
    "referrers": (_REFERRALS, translatable("who brought whom")),
    "advocates": (_REFERRALS, translatable("the stage advocate")),
    "channels": (
        _CUSTOMERS,
        translatable("through which channel customers came (the log's column channel says it too)"),
    ),
    "wallets": (_CUSTOMERS, translatable("the stage majority")),
    "leads": (_LEADS, translatable("leads, and how many become customers")),
    "prospects": (_LEADS, translatable("prospects and suspects")),
    "costs": (_COSTS, translatable("what keeping customers costs")),
    "touchpoints": (
        _TOUCHPOINTS,
        translatable("what customers were touched for, and what of the cost is whose"),
    ),
    "receivables": (_RECEIVABLES, translatable("what customers owe, and what of it will not be paid")),
    "categories": (_CATEGORY, translatable("cross-selling and, with quantities, up-selling")),
    "quantities": (_QUANTITY, translatable("with categories, up-selling")),
    "products": (_PRODUCT, translatable("the product that a customer may buy next")),
    "discounts": (_DISCOUNT, translatable("discounts")),
    "surveys": (_SURVEYS, translatable("NPS and satisfaction")),
    "campaigns": (_CAMPAIGNS, translatable("what each campaign was to earn, and what it did")),
}


def missing(**there: object) -> tuple[Missing, ...]:
    """Return what is missing of what there could be, by its name in `_FILLS`: what is None or False.

    Examples
    --------
    >>> [str(each) for each in missing(tiers=None, leads="leads.csv")]
    ["scored.csv (a list of 'stayworth score'; --scores): tiers."]
    """
    absent = (_FILLS[name] for name, value in there.items() if value is None or value is False)
    return tuple(Missing(translated(source), translated(fills)) for source, fills in absent)


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
    scored_inactivity_days : int, optional, of the scored list
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
    scored_inactivity_days: int | None = None
