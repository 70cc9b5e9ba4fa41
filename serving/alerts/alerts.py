"""Alerts of a day: signals, the customers whom they may be about, and what to offer each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from features.language import translatable, translated
from serving.alerts.open_alerts import ALERT_COLUMNS, CALL, STATE_COLUMNS, next_alerts
from serving.alerts.signals import Scored
from serving.store.alerts import OpenAlerts
from training.campaign.candidates import prices
from training.campaign.exclusions import ASKED_NOT_TO, HELD_OUT_BY_RUNNING, NO_SCORE, LeftAlone, exclusions
from training.campaign.running import RunningCampaign
from training.campaign.settings import PlanTerms
from training.offers.offers import Offer

LEFT_ALONE = {
    ASKED_NOT_TO: translatable("Left alone: {n:customer|customers} who asked for it (--suppress)."),
    HELD_OUT_BY_RUNNING: translatable(
        "Left alone: {n:customer|customers} whom a running campaign holds out, so that its effect can be measured."
    ),
    NO_SCORE: translatable(
        "Left out: {n:customer|customers} without a churn probability or a value at stake."
    ),
}
"""Reasons why a customer is in no alert, and how they are said."""

_EVERYBODY = PlanTerms(dormant=True, allow_loss_makers=True, recontact=True)


def customers_to_alert(
    scored: Scored,
    offers: Sequence[Offer],
    suppress: Collection[str] = (),
    running: Sequence[RunningCampaign] = (),
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return whom an alert may be about, with the best offer that pays and is for them, else a call.

    Who asked not to be contacted is in no alert, nor is whom a running campaign holds out: a call would spoil what the
    holdout is for. Who costs more than they bring is offered nothing.

    Returns
    -------
    DataFrame by customer_id: last_purchase_date, value_at_risk, offer, expected_profit; and the number of others by the
    reason, of `LEFT_ALONE`
    """
    rows = scored.customers
    opens = scored.snapshot
    still = tuple(found for each in running if (found := each.during(opens, opens + timedelta(days=1))))
    reason = exclusions(rows, LeftAlone(suppress, None, still), _EVERYBODY, opens, dormant_after_days=0)
    kept = rows[(reason == "").to_numpy()].reset_index(drop=True)
    best, profit = _best(kept, offers)
    # As a column of the list; a list that a spreadsheet has written may have none.
    last = pd.to_datetime(kept.get("last_purchase_date", pd.Series(pd.NaT, kept.index)), errors="coerce")
    known = pd.DataFrame(
        {
            "last_purchase_date": [None if pd.isna(day) else day.date() for day in last],
            "value_at_risk": kept["churn_probability"] * kept["value_at_stake"],
            "offer": best,
            "expected_profit": profit,
        }
    ).astype({"last_purchase_date": object})
    known.index = pd.Index(kept["customer_id"])
    return known, {str(why): int(count) for why, count in reason[reason != ""].value_counts().items()}


def left_alone_in_words(counts: Mapping[str, int]) -> list[str]:
    """Say how many customers are in no alert, and why.

    Examples
    --------
    >>> left_alone_in_words({"asked not to be contacted": 1})
    ['Left alone: 1 customer who asked for it (--suppress).']
    """
    return [translated(LEFT_ALONE[why], n=count) for why, count in counts.items()]


def renew(
    state: OpenAlerts, signals: Sequence[pd.DataFrame], customers: pd.DataFrame, snapshot: date
) -> pd.DataFrame:
    """Bring the open alerts to a date, in one transaction, and return them as a list to work through.

    Returns
    -------
    DataFrame of `ALERT_COLUMNS`
    """
    found = pd.concat([part for part in signals if len(part)] or [signals[0]], ignore_index=True)
    with state.changing() as change:
        before = pd.DataFrame(change.before, columns=list(STATE_COLUMNS)).astype(object)
        after = next_alerts(before, found, customers, snapshot)
        change.after = as_rows(after)
    numbers = dict.fromkeys(("value_at_risk", "expected_profit"), np.float64)
    return after[list(ALERT_COLUMNS)].astype(numbers)


def as_rows(alerts: pd.DataFrame) -> list[dict[str, object]]:
    """Return alerts as the store keeps them: None where there is nothing."""
    plain = alerts[list(STATE_COLUMNS)].astype(object)
    rows = plain.where(plain.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _best(rows: pd.DataFrame, offers: Sequence[Offer]) -> tuple[np.ndarray, np.ndarray]:
    """Return each customer's best offer and its profit; a call where none pays."""
    names = np.full(len(rows), CALL, dtype=object)
    profits = np.full(len(rows), np.nan)
    if not offers or rows.empty:
        return names, profits
    profit, _ = prices(rows, offers)
    best, most = profit.argmax(axis=1), profit.max(axis=1)
    pays = (most > 0) & ~(rows["expected_value"] < 0).to_numpy()
    names[pays] = np.array([offer.name for offer in offers], dtype=object)[best[pays]]
    profits[pays] = most[pays]
    return names, profits
