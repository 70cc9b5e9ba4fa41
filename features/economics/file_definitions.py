"""The columns that files beside the log fill."""

from __future__ import annotations

from features.economics.indicator import Indicator

ACQUISITION = (
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

COSTS = (
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

REFERRALS = (
    Indicator("referrers", "customers", "Customers of the log who referred somebody."),
    Indicator("referred", "customers", "Customers whom they referred, who have bought."),
    Indicator("own_margin", "money", "Margin so far per referrer."),
    Indicator("referred_margin", "money", "Margin so far of the referred, per referrer; it is in no total."),
    Indicator("rewards", "money", "Rewards for referrals, per referrer."),
    Indicator(
        "with_referred",
        "money",
        "What a referrer brought, with those whom they referred.",
        "own_margin + referred_margin - rewards",
    ),
)

SURVEYS = (
    Indicator(
        "survey",
        "text",
        "nps: would you recommend us, 0 to 10; csat: are you satisfied, 1 to 5.",
        words=("nps", "csat"),
    ),
    Indicator("about", "text", "What the survey is about; the firm, if nothing is said.", words=("firm",)),
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

LEADS = (
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

TARGETS = (
    Indicator("value", "number", "Value of the indicator."),
    Indicator("target", "number", "Target of targets.csv."),
    Indicator(
        "status",
        "text",
        "met, missed, provisional (the period is not closed), or empty where there is no value.",
        words=("met", "missed", "provisional"),
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
