"""The columns that a log alone fills, or a log with its margins."""

from __future__ import annotations

from features.customer_groups import STAGES, TIERS
from features.economics.indicator import Indicator

KEYS = (
    Indicator(
        "segment",
        "text",
        "Segment of customers; all: every customer. Tiers and stages are those at the start of the row's period; new: "
        "first purchase in it.",
        words=("all", "unknown", "new", *TIERS, *STAGES),
    ),
    Indicator(
        "period", "period", "Name of the period in the chosen calendar; a week is named by its first day."
    ),
    Indicator("from", "date", "First day of the period."),
    Indicator("to", "date", "First day after the period, or after the log where the period goes on."),
    Indicator(
        "provisional",
        "yes or no",
        "A later log may change the row: the period goes on after the log's end, begins within the "
        "inactivity window of its start, or begins before it is known who belongs to the segment.",
    ),
    Indicator(
        "channel",
        "text",
        "Channel through which customers were acquired; all: every customer.",
        words=("all", "unknown"),
    ),
    Indicator("indicator", "text", "Name of an indicator of this catalogue."),
    Indicator("cohort", "period", "Period of the first purchase.", words=("all",)),
    Indicator("age", "periods", "Periods since that of the first purchase, which has age 0."),
)

BASE = (
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

SALES = (
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
    Indicator(
        "sales_per_customer",
        "money",
        "Net revenue per buyer.",
        "net_revenue / buyers",
        "higher",
        called="sales per customer, net",
    ),
    Indicator(
        "sales_per_customer_ever",
        "money",
        "Net revenue since the log's start per customer who ever bought.",
        "sum of net_revenue / total_base",
        "higher",
        called="sales per customer ever, net",
    ),
    Indicator(
        "average_order",
        "money",
        "Money per order, before refunds.",
        "gross_revenue / orders",
        "higher",
        called="average order, gross",
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

COHORTS = (
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
        "margin_to_cac",
        "number",
        "Margin so far per unit of CAC.",
        "cumulative_margin_per_acquired / cac",
        called="margin to CAC",
    ),
)

VALUES = (
    Indicator(
        "past_margin",
        "money",
        "Margin so far per customer, less what keeping them and bad debt cost where that is known.",
    ),
    Indicator(
        "compounded_margin",
        "money",
        "The same, compounded at the discount rate to the log's end.",
        "sum of margin * (1 + i)^(days / 365)",
    ),
    Indicator(
        "compounded_cac", "money", "CAC of the customers' periods, compounded alike.", called="compounded CAC"
    ),
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
    Indicator(
        "simple_value_less_cac",
        "money",
        "The textbook's value less the CAC of all customers in closed periods.",
        "simple_value - cac",
        called="simple value less CAC",
    ),
    Indicator("change", "text", "A change of the plan for a customer who is acquired next."),
    Indicator("gain", "money", "What the change alone would add over five years, discounted."),
    Indicator("planned_value", "money", "Value of such a customer as planned, less CAC where it is known."),
)

HALF_YEARS = (
    Indicator(
        "from_month", "months", "First month of the relationship in the row, counted from the first purchase."
    ),
    Indicator("to_month", "months", "First month after the row."),
    Indicator("observed", "customers", "Customers whose relationship the log holds up to to_month."),
    Indicator(
        "revenue_per_acquired",
        "money",
        "Net revenue in these months per observed customer.",
        called="net revenue per acquired",
    ),
    Indicator(
        "revenue_per_active",
        "money",
        "Net revenue in these months per customer who bought in them.",
        called="net revenue per active",
    ),
    Indicator("margin_per_acquired", "money", "Margin in these months per observed customer."),
    Indicator("margin_per_active", "money", "Margin in these months per customer who bought in them."),
    Indicator(
        "first_revenue_per_acquired",
        "money",
        "Net revenue of the same customers in their months 0 to 6, per customer.",
        called="first net revenue per acquired",
    ),
    Indicator(
        "revenue_change",
        "share",
        "Change of revenue per acquired against the same customers' months 0 to 6.",
        "revenue_per_acquired / first_revenue_per_acquired - 1",
    ),
    Indicator(
        "cost_per_acquired",
        "money",
        "What keeping and supporting them cost in these months, per observed customer.",
    ),
    Indicator("cost_per_active", "money", "The same per customer who bought in these months."),
    Indicator(
        "first_cost_per_acquired",
        "money",
        "Cost of the same customers in their months 0 to 6, per customer.",
    ),
    Indicator(
        "revenue_less_cost_change",
        "money",
        "How much more revenue has changed than costs, against the same customers' months 0 to 6.",
        "revenue_per_acquired - first_revenue_per_acquired - (cost_per_acquired - first_cost_per_acquired)",
        called="change of net revenue less cost",
    ),
)
