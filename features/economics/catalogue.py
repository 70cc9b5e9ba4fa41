"""The catalogue of a report's columns: name, unit, formula and meaning, stated once.

Tables, their definitions on a page and the documentation are made from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Unit = Literal[
    "text",
    "date",
    "yes or no",
    "customers",
    "orders",
    "periods",
    "purchases",
    "days",
    "months",
    "money",
    "share",
    "number",
]


@dataclass(frozen=True)
class Indicator:
    """A column of a report's tables.

    Attributes
    ----------
    name : str, never changed: targets and stored tables refer to it
    unit : str
    meaning : str
    formula : str, in names of the catalogue; empty where the meaning says it
    better : "higher", "lower" or None, the direction in which a target is met
    is_rate : bool, whether it may have a target and a place among the indicators
    """

    name: str
    unit: Unit
    meaning: str
    formula: str = ""
    better: Literal["higher", "lower"] | None = None


_KEYS = (
    Indicator("segment", "text", "Segment of customers; all: every customer."),
    Indicator(
        "period", "text", "Name of the period in the chosen calendar; a week is named by its first day."
    ),
    Indicator("from", "date", "First day of the period."),
    Indicator("to", "date", "First day after the period, or after the log where the period goes on."),
    Indicator(
        "provisional",
        "yes or no",
        "A later log may change the row: the period goes on after the log's end, begins within the "
        "inactivity window of its start, or begins before it is known who belongs to the segment.",
    ),
    Indicator("channel", "text", "Channel through which customers were acquired; all: every customer."),
    Indicator("indicator", "text", "Name of an indicator of this catalogue."),
    Indicator("cohort", "text", "Period of the first purchase."),
    Indicator("age", "periods", "Periods since that of the first purchase, which has age 0."),
)

_BASE = (
    Indicator(
        "start", "customers", "Active at the start: a purchase day within the inactivity window before it."
    ),
    Indicator("new", "customers", "First purchase in the period, and active at its end.", better="higher"),
    Indicator(
        "returned",
        "customers",
        "Had bought before, not active at the start, active at the end.",
        better="higher",
    ),
    Indicator("lost", "customers", "Active at the start, not active at the end.", better="lower"),
    Indicator("end", "customers", "Active at the end.", "start + new + returned - lost", "higher"),
    Indicator("passed_through", "customers", "First purchase in the period, no longer active at its end."),
    Indicator("acquired", "customers", "First purchase in the period.", "new + passed_through", "higher"),
    Indicator("total_base", "customers", "All who ever bought, at the end of the period.", "", "higher"),
    Indicator(
        "churn_rate",
        "share",
        "Share of the active at the start who are not active at the end.",
        "lost / start",
        "lower",
    ),
    Indicator(
        "retention_rate",
        "share",
        "Share of the active at the start who are active at the end.",
        "1 - churn_rate",
        "higher",
    ),
    Indicator("growth", "share", "Growth of the customer base.", "(end - start) / start", "higher"),
    Indicator(
        "gross_growth",
        "share",
        "Growth of the customer base before losses.",
        "(new + returned) / start",
        "higher",
    ),
    Indicator(
        "total_base_growth",
        "share",
        "Growth of the total base.",
        "acquired / total_base at the start",
        "higher",
    ),
    Indicator(
        "tenure",
        "periods",
        "How long a customer stays at this churn; empty at none.",
        "1 / churn_rate",
        "higher",
    ),
)

_SALES = (
    Indicator("buyers", "customers", "Customers with a purchase day in the period.", "", "higher"),
    Indicator("orders", "orders", "Orders of the period.", "", "higher"),
    Indicator("gross_revenue", "money", "Money of the orders.", "", "higher"),
    Indicator("refunds", "money", "Money refunded in the period.", "", "lower"),
    Indicator("net_revenue", "money", "Revenue net of refunds.", "gross_revenue - refunds", "higher"),
    Indicator(
        "nominal_net_revenue", "money", "Revenue net of refunds as booked, before the deflator.", "", "higher"
    ),
    Indicator(
        "margin", "money", "Margin of all rows: the log's own, or --margin of net revenue.", "", "higher"
    ),
    Indicator("sales_per_customer", "money", "Net revenue per buyer.", "net_revenue / buyers", "higher"),
    Indicator(
        "sales_per_customer_ever",
        "money",
        "Net revenue since the log's start per customer who ever bought.",
        "sum of net_revenue / total_base",
        "higher",
    ),
    Indicator(
        "average_order", "money", "Money per order, before refunds.", "gross_revenue / orders", "higher"
    ),
    Indicator("orders_per_customer", "orders", "Orders per buyer.", "orders / buyers", "higher"),
    Indicator(
        "repeat_rate",
        "share",
        "Share of the buyers who by the period's end have two purchase days or more.",
        "",
        "higher",
    ),
    Indicator(
        "first_to_repeat",
        "share",
        "Share of the acquired with a second purchase day within the inactivity window after the first.",
        "",
        "higher",
    ),
    Indicator(
        "first_to_repeat_provisional",
        "yes or no",
        "The inactivity window of the last acquired goes on after the log's end.",
    ),
    Indicator(
        "top_revenue_share",
        "share",
        "Share of net revenue that the best fifth of the buyers, rounded up, brings.",
    ),
    Indicator(
        "top_margin_share",
        "share",
        "Share of the margin that the best fifth of the buyers, rounded up, brings.",
    ),
)

_ACQUISITION = (
    Indicator("spend", "money", "Spend to acquire customers, spread evenly over the days of its row."),
    Indicator(
        "cac",
        "money",
        "Customer acquisition cost; empty where nobody was acquired.",
        "spend / acquired",
        "lower",
    ),
    Indicator(
        "first_purchase_margin",
        "money",
        "Mean margin of the first purchase day of the acquired.",
        "",
        "higher",
    ),
)

_COHORTS = (
    Indicator("share_buying", "share", "Share of the cohort with a purchase day in the period."),
    Indicator("active", "customers", "Customers of the cohort who are active at the period's end."),
    Indicator("share_active", "share", "Share of the cohort who are active at the period's end."),
    Indicator(
        "cumulative_margin_per_acquired", "money", "Margin since the first purchase per acquired customer."
    ),
    Indicator(
        "payback_age",
        "periods",
        "First age at which the cumulative margin per acquired covers the CAC of the cohort's period; empty: not yet.",
    ),
    Indicator(
        "payback_purchases",
        "purchases",
        "First number of purchases whose mean margin per acquired covers the CAC; who bought less often "
        "counts with less.",
    ),
    Indicator(
        "margin_to_cac", "number", "Margin so far per unit of CAC.", "cumulative_margin_per_acquired / cac"
    ),
)

_VALUES = (
    Indicator("past_margin", "money", "Margin so far per customer."),
    Indicator(
        "compounded_margin",
        "money",
        "Margin so far per customer, compounded at the discount rate to the log's end.",
        "sum of margin * (1 + i)^(days / 365)",
    ),
    Indicator("compounded_cac", "money", "CAC of the customers' periods, compounded alike."),
    Indicator("potential", "money", "Expected value per customer, from a scored list."),
    Indicator(
        "lifetime_value",
        "money",
        "Lifetime value per customer; without a file of spend before acquisition.",
        "compounded_margin + potential - compounded_cac",
        "higher",
    ),
    Indicator("orders_per_year", "orders", "Orders a year of an active customer, in closed periods."),
    Indicator(
        "years", "number", "How long a customer stays at the churn of closed periods.", "1 / churn a year"
    ),
    Indicator("simple_value", "money", "The textbook's value.", "average_order * orders_per_year * years"),
    Indicator("change", "text", "A change of the plan for a customer who is acquired next."),
    Indicator("gain", "money", "What the change alone would add over five years, discounted."),
    Indicator("planned_value", "money", "Value of such a customer as planned, less CAC where it is known."),
)

_HALF_YEARS = (
    Indicator(
        "from_month", "months", "First month of the relationship in the row, counted from the first purchase."
    ),
    Indicator("to_month", "months", "First month after the row."),
    Indicator("observed", "customers", "Customers whose relationship the log holds up to to_month."),
    Indicator("revenue_per_acquired", "money", "Net revenue in these months per observed customer."),
    Indicator("revenue_per_active", "money", "Net revenue in these months per customer who bought in them."),
    Indicator("margin_per_acquired", "money", "Margin in these months per observed customer."),
    Indicator("margin_per_active", "money", "Margin in these months per customer who bought in them."),
    Indicator(
        "first_revenue_per_acquired",
        "money",
        "Net revenue of the same customers in their months 0 to 6, per customer.",
    ),
    Indicator(
        "revenue_change",
        "share",
        "Change of revenue per acquired against the same customers' months 0 to 6.",
        "revenue_per_acquired / first_revenue_per_acquired - 1",
    ),
)

_COSTS = (
    Indicator("kept_customers", "customers", "Active at the month's start or buying in it."),
    Indicator(
        "direct_cost",
        "money",
        "Touches of kept customers after their first purchase day, at the cost of the day.",
    ),
    Indicator("pool_cost", "money", "Overhead of the month that its drivers allot to kept customers."),
    Indicator(
        "cost_of_keeping",
        "money",
        "Cost of keeping a customer for the month.",
        "(direct_cost + pool_cost) / kept_customers",
        "lower",
    ),
    Indicator(
        "margin_per_kept",
        "money",
        "Margin of the month per kept customer.",
        "margin / kept_customers",
        "higher",
    ),
    Indicator(
        "lapsed_cost",
        "money",
        "Touches and overhead of customers who are neither active at the start nor buy.",
    ),
    Indicator("acquisition_cost", "money", "Touches of customers up to their first purchase day."),
    Indicator("touchpoint", "text", "Where the firm and the customer meet."),
    Indicator("touches", "number", "Quantity of touches of customers in the months of the log."),
    Indicator("cost", "money", "What they cost."),
    Indicator("cost_per_touch", "money", "Mean cost of a touch.", "cost / touches"),
    Indicator("item", "text", "A touchpoint, or a pool and its month."),
    Indicator("booked", "money", "What was booked.", "allocated + unallocated"),
    Indicator("allocated", "money", "What customers of the log were given."),
    Indicator(
        "unallocated",
        "money",
        "What nobody of the log drives: unknown customers, days outside the log, no driver.",
    ),
    Indicator(
        "touches_without_cost",
        "number",
        "Rows of touches for which no cost is valid on their day; they cost nothing here.",
    ),
)

_SURVEYS = (
    Indicator("survey", "text", "nps: would you recommend us, 0 to 10; csat: are you satisfied, 1 to 5."),
    Indicator("about", "text", "What the survey is about; the firm, if nothing is said."),
    Indicator(
        "answers", "customers", "Customers who answered in the period; the last answer of each counts."
    ),
    Indicator("few_answers", "yes or no", "Fewer than 30 answers."),
    Indicator("nps", "number", "Net promoter score in points.", "% of 9 and 10 - % of 0 to 6", "higher"),
    Indicator("satisfaction", "number", "Mean satisfaction, 1 to 5.", "", "higher"),
    Indicator("satisfied_share", "share", "Share of answers 4 and 5.", "", "higher"),
    Indicator("sent", "number", "Surveys sent in the period."),
    Indicator("response_rate", "share", "Share of them that was answered within 30 days.", "", "higher"),
    Indicator("response_rate_provisional", "yes or no", "The 30 days of the last go on after the log's end."),
)

_LEADS = (
    Indicator("leads", "number", "Leads created in the period.", "", "higher"),
    Indicator("qualified", "number", "Of them, qualified."),
    Indicator("converted", "number", "Of them, customers within the inactivity window after the creation."),
    Indicator(
        "conversion_rate",
        "share",
        "Share of leads who became customers in time.",
        "converted / leads",
        "higher",
    ),
    Indicator(
        "conversion_rate_provisional", "yes or no", "The window of the last lead goes on after the log's end."
    ),
    Indicator(
        "cost_per_lead", "money", "Spend of the channel and period per lead.", "spend / leads", "lower"
    ),
)

_TARGETS = (
    Indicator("value", "number", "Value of the indicator."),
    Indicator("target", "number", "Target of targets.csv."),
    Indicator(
        "status",
        "text",
        "met, missed, provisional (the period is not closed), or empty where there is no value.",
    ),
    Indicator("pooled_churn_rate", "share", "Churn rate of the four closed periods before, pooled."),
    Indicator(
        "standard_error", "share", "Binomial standard error of the pooled rate at this period's start."
    ),
    Indicator(
        "alert",
        "yes or no",
        "Churn exceeds the pooled rate by more than two standard errors: it leads revenue.",
    ),
)

INDICATORS: dict[str, Indicator] = {
    each.name: each
    for each in (
        *_KEYS,
        *_BASE,
        *_SALES,
        *_ACQUISITION,
        *_COHORTS,
        *_VALUES,
        *_HALF_YEARS,
        *_COSTS,
        *_TARGETS,
    )
}
"""Every column of a report's tables by name."""

BASE_COLUMNS = tuple(each.name for each in _BASE)
SALES_COLUMNS = tuple(each.name for each in _SALES)


def catalogue_markdown(indicators: Iterable[Indicator] = INDICATORS.values()) -> str:
    """Return indicators as a Markdown table, for the documentation.

    Examples
    --------
    >>> print(catalogue_markdown([INDICATORS["churn_rate"]]))
    | column | unit | meaning | formula |
    |---|---|---|---|
    | `churn_rate` | share | Share of the active at the start who are not active at the end. | lost / start |
    """
    rows = (f"| `{each.name}` | {each.unit} | {each.meaning} | {each.formula} |" for each in indicators)
    return "\n".join(["| column | unit | meaning | formula |", "|---|---|---|---|", *rows])
