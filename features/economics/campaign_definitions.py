"""The columns of the ledger of campaigns."""

from __future__ import annotations

from features.economics.indicator import Indicator

STATES = ("running", "looked at early", "measured", "not measured")

CAMPAIGNS = (
    Indicator(
        "campaign",
        "text",
        "Folder of the campaign; all: all of them, where measured, together.",
        words=("all",),
    ),
    Indicator("starts_on", "date", "First day of the campaign."),
    Indicator("closes_on", "date", "First day after its churn window."),
    Indicator(
        "state",
        "text",
        "running, or closed and measured or not; looked at early: measured before its window closed, in no total.",
        words=STATES,
    ),
    Indicator("contacted", "customers", "Customers drawn to be contacted."),
    Indicator("held_out", "customers", "Customers drawn to be left alone, to compare with."),
    Indicator("expected_cost", "money", "Cost of the contacts that the plan expected."),
    Indicator("campaign_cost", "money", "Cost of the contacts by the orders that came, where measured."),
    Indicator("expected_profit", "money", "Profit that the plan expected, at its value of those kept."),
    Indicator("expected_profit_low", "money", "Lower end of its 90% interval."),
    Indicator("expected_profit_high", "money", "Upper end of it."),
    Indicator(
        "measured_profit",
        "money",
        "Profit by the comparison with the holdout, at the plan's value of those kept: what the expected one is to be "
        "compared with.",
    ),
    Indicator("measured_profit_low", "money", "Lower end of its interval."),
    Indicator("measured_profit_high", "money", "Upper end of it."),
    Indicator(
        "window_profit", "money", "Profit earned within the churn window, beyond what the contacts cost."
    ),
    Indicator("window_profit_low", "money", "Lower end of its interval."),
    Indicator("window_profit_high", "money", "Upper end of it."),
    Indicator(
        "campaign_return", "number", "Profit per unit of cost.", "measured_profit / campaign_cost", "higher"
    ),
    Indicator(
        "measured_to_expected",
        "number",
        "Measured against expected; of all campaigns pooled: what one of the plan's promises is worth.",
        "measured_profit / expected_profit",
        "higher",
    ),
    Indicator("measured_to_expected_low", "number", "Lower end of its interval."),
    Indicator("measured_to_expected_high", "number", "Upper end of it."),
)
