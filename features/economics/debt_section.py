"""The section of receivables: what customers owe, and what of it will not be paid."""

from __future__ import annotations

import pandas as pd

from features.economics.ageing import Ageing, ageing_now, bad_debt
from features.economics.facts import Facts
from features.economics.indicators import with_periods
from features.economics.inputs import KEYS, Inputs, missing
from features.economics.tables import Section, Table
from features.language import translated


def debt_section(facts: Facts, inputs: Inputs) -> Section:
    """Return what is owed at the log's end by its age, and the bad debt of each period."""
    title = translated("Receivables and bad debt")
    if inputs.receivables is None:
        return Section("receivables", title, missing=missing(receivables=None))
    ageing, unit = Ageing(facts, inputs.receivables, inputs.unpaid_rates), inputs.unit
    now = ageing_now(ageing)
    ages = now.assign(
        open_amount=unit.shown(now["open_cents"]), expected_loss=unit.shown(now["expected_loss_cents"])
    )[["segment", "age_of_debt", "invoices", "open_amount", "unpaid_rate", "expected_loss"]]
    months = bad_debt(ageing).reset_index()
    names = {
        "open_amount": "open_cents",
        "overdue": "overdue_cents",
        "expected_loss": "expected_loss_cents",
        "written_off": "written_off_cents",
        "bad_debt": "bad_debt_cents",
    }
    money = {name: unit.shown(months[cents]) for name, cents in names.items()}
    shown = with_periods(months, facts).assign(provisional=facts.provisional(), **money)[[*KEYS, *names]]
    tables = (
        Table("receivables", translated("What is owed at the end, by its age"), ages),
        Table("bad_debt", translated("Bad debt"), shown),
    )
    return Section("receivables", title, tables, findings=tuple(_findings(ageing, now)))


def _findings(ageing: Ageing, now: pd.DataFrame) -> list[str]:
    found = [finding.message for finding in ageing.receivables.findings]
    if ageing.strangers:
        found.append(
            translated(
                "Left out of the receivables: {strangers:invoice|invoices} of {all:,}, of people who are not in the "
                "log.",
                strangers=ageing.strangers,
                all=len(ageing.receivables.table),
            )
        )
    if now["unpaid_rate"].isna().any():
        found.append(
            translated(
                "The expected loss is not known, for no rate of what stays unpaid is. The receivables have to reach "
                "back a year and more; or give rates: [unpaid_rates] of costs.toml (--costs)."
            )
        )
    return found
