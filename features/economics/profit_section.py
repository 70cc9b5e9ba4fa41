"""The section of profitability: who brings the profit, who takes it away, and why."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from features.economics.ageing import Ageing
from features.economics.catalogue import INDICATORS
from features.economics.cost_allocation import allocate
from features.economics.destroyers import register_scored, value_destroyers
from features.economics.facts import Facts
from features.economics.inputs import Inputs, missing
from features.economics.profitability import (
    MOST_OF_IT,
    MOST_ROWS,
    PROFITS,
    Known,
    WhaleCurve,
    create_profits,
    customer_profits,
    segment_profits,
    whale_curve,
)
from features.economics.tables import Section, Table
from features.language import translated, written

_LOW_MARGIN = 0.5  # of the net margin per unit of net revenue of all customers
_LARGE_REVENUE = f"""net_cents > 0 AND net_margin_cents < {{rate}} * net_cents
  AND customer IN (
    SELECT customer FROM {PROFITS} ORDER BY net_cents DESC, customer
    LIMIT (SELECT (count(*) + 4) // 5 FROM {PROFITS})
  )"""


def profit_section(facts: Facts, inputs: Inputs) -> Section:
    """Return the profitability of segments and customers, the whale curve and the value destroyers."""
    facts = inputs.costs.facts if inputs.costs else facts
    known = _profits(facts, inputs)
    segments = segment_profits(facts)
    whole = segments.iloc[0]
    title = translated(
        "Profitability over the whole log, {first:date} to {last:date}",
        first=facts.periods.first_day,
        last=facts.periods.last_day,
    )
    tables = [Table("profitability", title, _shown(segments, facts, inputs, known))]
    notes = _unknown(facts, inputs, known)
    if facts.has_margins:
        curve = _curve_of_customers(facts)
        tables.append(Table("whale_curve", translated("The whale curve"), _curve(curve, inputs)))
        notes += _curve_notes(curve, whole)
        large = _large_revenue(facts, whole)
        if len(large):
            shown = _customers(large, facts, inputs, known)
            tables.append(
                _personal("large_revenue_small_margin", translated("Large revenue, small margin"), shown)
            )
    if inputs.potential is not None:
        found = value_destroyers(facts, whole)
        notes.append(_destroyer_note(found, inputs))
        tables.append(_destroyers(found, facts, inputs, known))
    ranked = customer_profits(facts)
    if len(ranked) < whole["customers"]:
        notes.append(
            translated(
                "customer_profitability.csv has the {n:customer|customers} with the highest net margin.",
                n=MOST_ROWS,
            )
        )
    shown = _customers(ranked, facts, inputs, known)
    tables.append(_personal("customer_profitability", translated("Customers"), shown))
    lacking = missing(
        margins=facts.has_margins,
        spend=known.spend,
        costs=known.costs,
        receivables=inputs.receivables,
        destroyers=inputs.potential,
    )
    return Section("profitability", translated("Profitability"), tuple(tables), tuple(notes), lacking)


def _personal(name: str, title: str, rows: pd.DataFrame) -> Table:
    return Table(name, title, rows, personal=True)


def _profits(facts: Facts, inputs: Inputs) -> Known:
    kinds = None
    if inputs.costs:
        allocate(facts, inputs.costs.touches, inputs.costs.table)
        kinds = sorted({(each.touchpoint, each.kind) for each in inputs.costs.table.units})
    losses = None
    if inputs.receivables is not None:
        ageing = Ageing(facts, inputs.receivables, inputs.unpaid_rates)
        since, until = (int(day) for day in facts.periods.boundaries[[0, -1]])
        losses = "losses" if ageing.create_losses("losses", since, until) else None
    if inputs.potential is not None:
        register_scored(facts, inputs.potential, inputs.potential_high)
    return create_profits(
        facts,
        spend=inputs.spend,
        channel_of=inputs.channel_of,
        kinds=kinds,
        losses=losses,
        scored=inputs.potential is not None,
    )


def _shown(found: pd.DataFrame, facts: Facts, inputs: Inputs, known: Known) -> pd.DataFrame:
    """Return the segments' sums in money with their ratios."""
    money = profit_columns(found, facts, inputs, known)
    shown = pd.DataFrame({"segment": found["segment"], "customers": found["customers"], **money})
    if facts.has_margins:
        total = found["net_margin_cents"].where(found["net_margin_cents"] > 0).astype(float)
        shown["top_net_margin_share"] = found["top_cents"] / total
    return shown


def profit_columns(
    found: pd.DataFrame, facts: Facts, inputs: Inputs, known: Known
) -> Mapping[str, np.ndarray | pd.Series]:
    """Return the columns of profitability in money; empty where what they need is not known.

    Customer costs are the known ones of acquiring, keeping and support, and bad debt counts where it is known.
    """
    unit = inputs.unit
    cents = {name: found[name].astype(float) for name in found if name.endswith("_cents")}
    costs = cents["acquire_cents"] + cents["keep_cents"] + cents["support_cents"]
    net = cents["net_cents"]
    clv = cents["net_margin_cents"] + cents["acquire_cents"]
    if inputs.potential is not None:
        clv = clv + cents["potential_cents"]
    return {
        "net_revenue": unit.shown(net),
        "margin": unit.shown(cents["margin_cents"] * (1 if facts.has_margins else np.nan)),
        "acquire_cost": unit.shown(cents["acquire_cents"] * (1 if known.spend or known.costs else np.nan)),
        "keep_cost": unit.shown(cents["keep_cents"] * (1 if known.costs else np.nan)),
        "support_cost": unit.shown(cents["support_cents"] * (1 if known.costs else np.nan)),
        "net_profitability": unit.shown(cents["profit_cents"]),
        "customer_margin": (net - costs) / net.where(net > 0),
        "bad_debt": unit.shown(cents["loss_cents"] * (1 if known.losses else np.nan)),
        "risk_adjusted_revenue": unit.shown(net - costs - cents["loss_cents"]),
        "net_margin": unit.shown(cents["net_margin_cents"] * (1 if facts.has_margins else np.nan)),
        "clv_to_cac": clv / cents["acquire_cents"].where(cents["acquire_cents"] > 0)
        if facts.has_margins
        else pd.Series(np.nan, found.index),
    }


def _customers(found: pd.DataFrame, facts: Facts, inputs: Inputs, known: Known) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": found["customer_id"], **profit_columns(found, facts, inputs, known)})


def _large_revenue(facts: Facts, whole: pd.Series) -> pd.DataFrame:
    rate = _LOW_MARGIN * float(whole["net_margin_cents"]) / max(float(whole["net_cents"]), 1.0)
    found = customer_profits(facts, _LARGE_REVENUE.format(rate=repr(max(rate, 0.0))))
    return found.sort_values(["net_cents", "customer"], ascending=[False, True], ignore_index=True)


def _curve_of_customers(facts: Facts) -> WhaleCurve:
    return whale_curve(facts.query(f"SELECT net_margin_cents FROM {PROFITS}")["net_margin_cents"].to_numpy())


def _curve(curve: WhaleCurve, inputs: Inputs) -> pd.DataFrame:
    total = float(curve.total) if curve.total > 0 else np.nan
    return pd.DataFrame(
        {
            "customers": curve.places,
            "share_of_customers": curve.places / curve.customers,
            "cumulative_net_margin": inputs.unit.shown(curve.cents),
            "share_of_net_margin": curve.cents / total,
        }
    )


def _unknown(facts: Facts, inputs: Inputs, known: Known) -> list[str]:
    """Say what net margins are before."""
    said = []
    parts = {
        translated("what acquiring cost"): known.spend or known.costs,
        translated("what keeping and support cost"): known.costs,
        translated("bad debt"): known.losses,
    }
    unknown = [name for name, is_known in parts.items() if not is_known]
    if unknown and facts.has_margins:
        said.append(translated("Net margins are before what is not known here: {names}.", names=unknown))
    if inputs.receivables is not None and not known.losses:
        said.append(
            translated("Bad debt is not in it: no rate of what stays unpaid is known (see the receivables).")
        )
    return said


def _curve_notes(curve: WhaleCurve, whole: pd.Series) -> list[str]:
    if curve.most_of_it is None:
        return [translated("All customers together bring no net margin above 0: no share of it can be told.")]
    said = [
        translated(
            "The best {few:.1%} of the customers bring {most:.0%} of the net margin; the best 20% bring {top:.1%}.",
            few=curve.most_of_it / curve.customers,
            most=MOST_OF_IT,
            top=float(whole["top_cents"]) / curve.total,
        )
    ]
    if curve.peak_cents > curve.total:
        said.append(
            translated(
                "The best {best:.1%} bring {peak:.1%} of it: the other {n:,} take the difference away or bring "
                "nothing.",
                best=curve.peak / curve.customers,
                peak=curve.peak_cents / curve.total,
                n=curve.customers - curve.peak,
            )
        )
    return said


def _destroyers(found: pd.DataFrame, facts: Facts, inputs: Inputs, known: Known) -> Table:
    shown = pd.DataFrame(
        {
            "customer_id": found["customer_id"],
            "potential": inputs.unit.shown(found["expected_cents"]),
            "sure": found["sure"],
            "cause": found["cause"],
            "remedy": found["remedy"],
        }
    )
    more = profit_columns(found, facts, inputs, known)
    shown = shown.assign(
        **{name: more[name] for name in ("net_revenue", "margin", "keep_cost", "support_cost")}
    )
    shown = shown.assign(bad_debt=more["bad_debt"], net_margin=more["net_margin"])
    return _personal("value_destroyers", translated("Value destroyers"), shown)


def _destroyer_note(found: pd.DataFrame, inputs: Inputs) -> str:
    if not len(found):
        return translated("Nobody is expected to cost more than they bring.")
    counts = found["cause"].value_counts()
    cause = INDICATORS["cause"]
    terms = {
        "n": len(found),
        "loss": -float(inputs.unit.shown(found["expected_cents"].sum())),
        "causes": [f"{cause.shown_word(name)} {written(int(n), ',')}" for name, n in sorted(counts.items())],
    }
    if found["sure"].isna().any():
        return translated(
            "{n:customer is|customers are} expected to cost {loss:,.2f} more than they bring. Causes: {causes}.",
            **terms,
        )
    return translated(
        "{n:customer is|customers are} expected to cost {loss:,.2f} more than they bring, {sure:,} of them surely. "
        "Causes: {causes}.",
        sure=int(found["sure"].sum()),
        **terms,
    )
