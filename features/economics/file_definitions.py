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
        called="CAC",
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
    Indicator("to_touchpoint", "text", "A cheaper touchpoint of the same kind."),
    Indicator("touches_a_year", "number", "Quantity of touches of customers in the log's last 365 days."),
    Indicator("unit_cost", "money", "What a touch costs on the log's last day."),
    Indicator("cost_instead", "money", "What a touch of the cheaper touchpoint costs then."),
    Indicator(
        "saving",
        "money",
        "What a tenth of the touches would save a year if each took one at the cheaper touchpoint; overhead stays.",
        "10% * touches_a_year * (unit_cost - cost_instead)",
    ),
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

COST_FORECAST = (
    Indicator("cost_item", "text", "A touchpoint, a pool, or all of them.", words=("all",)),
    Indicator(
        "forecast",
        "money",
        "Expected cost of keeping, as booked: touches per active customer-day of the last three closed months, times "
        "the days expected, times today's cost; a pool as in the last month.",
    ),
    Indicator(
        "forecast_low",
        "money",
        "Lower end of the band that 80% of months lie in; empty before four are judged.",
    ),
    Indicator("forecast_high", "money", "Upper end of it."),
    Indicator(
        "forecast_error",
        "share",
        "Error of such forecasts of closed months, each by the months before it.",
        "sum of errors / sum of costs",
        "lower",
    ),
    Indicator(
        "plain_method",
        "text",
        "The plain forecast that was closest in the same months.",
        words=("last month", "mean of three months", "same month last year"),
    ),
    Indicator("plain_forecast", "money", "What it expects."),
    Indicator("plain_error", "share", "Its error in the same months.", "sum of errors / sum of costs"),
    Indicator(
        "forecast_closer", "yes or no", "The forecast was closer than the plain one; if not, take that."
    ),
    Indicator("months_judged", "months", "Closed months that forecasts were judged on."),
    Indicator("band_tried", "months", "Of them, could be compared with the band of the months before them."),
    Indicator("band_held", "months", "Of those, lay in it; 80% are meant to."),
)

RECEIVABLES = (
    Indicator(
        "age_of_debt",
        "text",
        "Days since an open amount was due: not_due, days_1_30, days_31_60, days_61_90, days_91_180, over_180.",
        words=("not_due", "days_1_30", "days_31_60", "days_61_90", "days_91_180", "over_180"),
        said={
            "not_due": "not due",
            "days_1_30": "1 to 30 days",
            "days_31_60": "31 to 60 days",
            "days_61_90": "61 to 90 days",
            "days_91_180": "91 to 180 days",
            "over_180": "over 180 days",
        },
    ),
    Indicator("invoices", "number", "Open invoices."),
    Indicator("open_amount", "money", "What is owed: invoices neither paid nor written off by then."),
    Indicator("overdue", "money", "What of it was due before."),
    Indicator(
        "unpaid_rate",
        "share",
        "Share of open amounts of this age that was still unpaid a year later; given, or seen in the receivables.",
    ),
    Indicator(
        "expected_loss",
        "money",
        "What of the open amounts will not be paid, by the rates known then; empty without rates.",
        "sum of open_amount * unpaid_rate",
        "lower",
    ),
    Indicator("written_off", "money", "Written off in the period, less what was paid after a write-off."),
    Indicator(
        "bad_debt",
        "money",
        "What was lost by customers who do not pay: in the period, or of a customer over the whole log.",
        "written_off + change of expected_loss",
        "lower",
    ),
)

PROFITS = (
    Indicator("customer_id", "text", "Id of the customer."),
    Indicator(
        "acquire_cost",
        "money",
        "Touches up to the first purchase day, and the spend of the month and channel, shared out among the acquired.",
    ),
    Indicator("keep_cost", "money", "Touches after it but complaints, and overhead."),
    Indicator("support_cost", "money", "Complaints: touchpoints of that kind."),
    Indicator(
        "net_profitability",
        "money",
        "The textbooks' profitability: it ranks nobody, for goods are not free.",
        "net_revenue - acquire_cost - keep_cost - support_cost",
    ),
    Indicator(
        "customer_margin",
        "share",
        "Net profitability per unit of net revenue.",
        "net_profitability / net_revenue",
    ),
    Indicator(
        "risk_adjusted_revenue",
        "money",
        "Net profitability less bad debt.",
        "net_profitability - bad_debt",
    ),
    Indicator(
        "net_margin",
        "money",
        "What customers brought in all: margin less the costs and the bad debt that are known.",
        "margin - acquire_cost - keep_cost - support_cost - bad_debt",
    ),
    Indicator(
        "clv_to_cac",
        "number",
        "Return on acquisition: what customers have brought and, with a scored list, will bring per unit of its cost; "
        "good above 1.",
        "(net_margin + acquire_cost + potential) / acquire_cost",
        "higher",
        called="CLV to CAC",
    ),
    Indicator("top_net_margin_share", "share", "Share of the net margin that the best fifth brings."),
    Indicator("share_of_customers", "share", "Share of the customers, the best first."),
    Indicator("cumulative_net_margin", "money", "What these customers bring together."),
    Indicator(
        "share_of_net_margin",
        "share",
        "Share of all net margin that they bring: above 1 where others take some away.",
    ),
    Indicator("sure", "yes or no", "The upper end of the interval of the expected value is below 0 too."),
    Indicator(
        "cause",
        "text",
        "What the customer cost most beyond an average one of the same revenue: service, returns, debt or discount.",
        words=("service", "returns", "debt", "discount"),
    ),
    Indicator(
        "remedy",
        "text",
        "What to do: a cheaper channel, prepayment, no offer.",
        words=("cheaper channel", "prepayment", "no offer"),
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
    Indicator("own_lifetime_value", "money", "Lifetime value per referrer."),
    Indicator(
        "referred_lifetime_value",
        "money",
        "Lifetime value of the referred, per referrer; it is in no total.",
    ),
    Indicator(
        "lifetime_with_referred",
        "money",
        "Lifetime value of a referrer, with those whom they referred.",
        "own_lifetime_value + referred_lifetime_value - rewards",
        called="lifetime value with referred",
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
    Indicator(
        "nps",
        "number",
        "Net promoter score in points.",
        "% of 9 and 10 - % of 0 to 6",
        "higher",
        called="NPS",
    ),
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
    Indicator("value", "that of the indicator", "Value of the indicator."),
    Indicator("target", "that of the indicator", "Target of targets.csv."),
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
