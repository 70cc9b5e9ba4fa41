"""The model card: one HTML page to judge a version by.

It is made of the finished run and its log, is self-contained (pictures and styles inside, no script, no external
address) and is logged with the version. The text is in ``templates/card.html``; this module gathers the numbers.

References
----------
Mitchell et al. (2019), Model Cards for Model Reporting, FAT* 2019.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import zip_longest
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from features.language import (
    currency,
    current_language,
    text_direction,
    translatable,
    translated,
    translated_in,
    translation,
    written,
)
from features.log.transactions import TransactionLog
from training.churn.level import NO_RULE
from training.judging.race import MODEL, winner
from training.judging.recipe_comparison import CALIBRATION_BOUND, offer_in_words
from training.judging.trial_offer import TrialOffer, try_offer
from training.metrics.comparison import Comparison, log_losses, paired_bootstrap
from training.metrics.money import decile_table
from training.metrics.probabilities import TIE
from training.model.valuation import SPEND_LIMIT, Valuation
from training.offers.offers import Offer, example_offer
from training.report.card_pictures import P0, levels, pictures, spend_of_model
from training.report.formats import costs_in_words, count, day, files_in_words, money, number, share
from training.report.purchase_tracking import weekly_purchases

if TYPE_CHECKING:
    from training.run import TrainingRun

TOTAL = 0.15
"""Largest relative difference of expected and actual totals that passes."""

LOST = 0.01
"""Largest share of unusable rows that passes."""


@dataclass(frozen=True)
class Check:
    """One check of a run: ``holds`` where nothing needs a closer look."""

    name: str
    value: str
    holds: bool
    meaning: str


def model_card(run: TrainingRun, log: TransactionLog, offer: Offer | None = None) -> str:
    """Write a run's model card.

    Parameters
    ----------
    run : TrainingRun
    log : TransactionLog
        The log the run was trained on.
    offer : Offer, optional
        What the profit curve is drawn for; by default `training.offers.offers.example_offer`.

    Returns
    -------
    str
        A whole HTML document, well-formed as XML too. Texts that come from the log are escaped.
    """
    money_of_test = _test_money(run)
    expected_purchases = float(money_of_test["expected_purchases"].sum())
    trial = _trial(run, money_of_test, offer)
    weeks = weekly_purchases(log, run.test.labelled)
    newest, terms = run.newest, run.model.terms
    content = {
        "run": run,
        "card": run.model.card,
        "log": log.report,
        "log_prices": log.prices,
        "currency": currency(log.report.currency or "") or translated("the log's currency"),
        "window_ends": run.schedule.newest.date + timedelta(days=terms.horizon_days - 1),
        "test_ends": run.test.labelled.window.closes - timedelta(days=1),
        "model_name": MODEL,
        "purchase_model": newest.clv.purchases.title,
        "tie": TIE,
        "ours": {part: _slice(run.test.race, part, MODEL) for part in ("all", "recent")},
        "base": _slice(run.test.race, "all", "base rate"),
        "winners": {part: _winner(run.test.race, part) for part in ("all", "recent")},
        "racers": _racers(run.test.race),
        "against_p0": _against_p0(run),
        "purchases": (expected_purchases, float(run.test.labelled.outcomes["purchases"].sum())),
        "checks": checks(run, expected_purchases),
        "recipe": _recipe_in_words(run),
        "files": list(files_in_words(run.recipe)),
        "costs": costs_in_words(terms.costs),
        "offer": offer_in_words(trial.offer),
        "one_time_buyers": float((newest.table["frequency"] == 0).mean()),
        "spend": run.test.spend.to_dict("records"),
        "our_spend": spend_of_model(run),
        "trial": trial,
        "deciles": decile_table(
            run.test.labelled.outcomes["spend"].to_numpy(), run.test.expected_spend
        ).to_dict("records"),
        "forecast": weeks.loc[weeks["forecast"], ["actual", "expected"]].sum(),
        "parameters": _parameters(run),
        "levels": _levels_in_words(run),
        "spend_in_words": _spend_in_words(run),
        "tiers": _tiers(run),
        "pictures": pictures(run, trial, weeks),
    }
    environment = Environment(
        loader=PackageLoader("training.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"day": day, "money": money, "share": share, "number": number, "count": count}
    environment.globals.update(
        translated=translated,
        translated_in=translated_in,
        translation=translation,
        language=current_language(),
        direction=text_direction(),
    )
    return environment.get_template("card.html").render(content)


def checks(run: TrainingRun, expected_purchases: float) -> list[Check]:
    """Check a run: against the other racers, on average, and in total.

    Parameters
    ----------
    run : TrainingRun
    expected_purchases : float
        Over all customers of the test snapshot, in its window.
    """
    race, test = run.test.race, run.test
    found = []
    for part, (beaten, _) in _CHECKS.items():
        others = race[(race["racer"] != MODEL) & (race["customers_slice"] == part)]
        behind = _slice(race, part, MODEL)["log_loss"] - others["log_loss"].min()
        value = translated("not measurable")
        if isfinite(behind):
            best = translation(others.loc[others["log_loss"].idxmin(), "racer"])
            value = translated("{difference} against {racer}", difference=number(behind, "+.4f"), racer=best)
        meaning = translated("log-loss at most {tie} above the best other racer", tie=TIE)
        found.append(Check(translated(beaten), value, behind <= TIE, meaning))
    for part, (_, right) in _CHECKS.items():
        off = _slice(race, part, MODEL)["calibration_in_the_large"]
        meaning = translated("mean predicted less observed churn within ±{bound}", bound=CALIBRATION_BOUND)
        found.append(Check(translated(right), number(off, "+.3f"), abs(off) <= CALIBRATION_BOUND, meaning))
    purchases = float(test.labelled.outcomes["purchases"].sum())
    ratios = {
        translated("Expected spend adds up"): spend_of_model(run)["ratio"],
        translated("Expected purchases add up"): expected_purchases / purchases
        if purchases
        else float("nan"),
    }
    for name, ratio in ratios.items():
        meaning = translated("expected over actual total within 1 ± {bound}", bound=TOTAL)
        found.append(Check(name, number(ratio, ".2f"), abs(ratio - 1) <= TOTAL, meaning))
    return [*found, *_checks_of_input(run)]


_CHECKS = {
    "all": (
        translatable("Nothing beats it: all customers"),
        translatable("Right on average: all customers"),
    ),
    "recent": (
        translatable("Nothing beats it: recent customers"),
        translatable("Right on average: recent customers"),
    ),
}
"""Names of the checks of each slice of the race."""


def _checks_of_input(run: TrainingRun) -> list[Check]:
    """Check the remarks on the fit, and the rows that could not be used."""
    notes, log = len(run.model.card.notes), run.model.card.log
    value = translated("{n} to read below", n=notes) if notes else translated("none")
    lost = 1 - log.rows_used / log.rows_in
    most = translated("at most {share} of the log", share=share(LOST))
    return [
        Check(translated("Remarks on the fit"), value, not notes, translated("no fallback, no warning")),
        Check(translated("Rows in quarantine"), share(lost), lost <= LOST, most),
    ]


def _slice(race: pd.DataFrame, part: str, racer: str) -> dict[str, Any]:
    found = race[(race["racer"] == racer) & (race["customers_slice"] == part)]
    return dict(found.iloc[0].to_dict())


def _winner(race: pd.DataFrame, part: str) -> str:
    """Return the winner; an empty text where the slice has no customers."""
    measured = race.loc[race["customers_slice"] == part, "log_loss"].notna().any()
    return winner(race, part) if measured else ""


def _racers(race: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the race by racer, each slice marked: ``winner``, ``tie`` with the lowest log-loss, or nothing."""
    rows = []
    for racer in race["racer"].unique():
        row: dict[str, Any] = {"name": racer}
        for part in ("all", "recent"):
            own = _slice(race, part, racer)
            lowest = race.loc[race["customers_slice"] == part, "log_loss"].min()
            tied = own["log_loss"] <= lowest + TIE
            won = tied and racer == _winner(race, part)
            row[part] = own | {"mark": "winner" if won else "tie" if tied else ""}
        rows.append(row)
    return rows


def _against_p0(run: TrainingRun) -> Comparison:
    row = run.test.labelled
    alone = log_losses(row.churned, row.table["p0"].to_numpy())
    return paired_bootstrap(log_losses(row.churned, run.test.probability), alone, samples=500)


def _test_money(run: TrainingRun) -> dict[str, np.ndarray]:
    """Value the test snapshot's customers as they were judged, spend model included.

    The judged spend model is not kept; its correction of each customer's spend per purchase, and so of all their
    values, is recovered from their expected spend.
    """
    row = run.test.labelled
    money = Valuation(row.clv, run.model.terms).without_intervals.money(row.columns, run.test.probability)
    expected = money["expected_spend"]
    factor = np.divide(run.test.expected_spend, expected, out=np.ones_like(expected), where=expected > 0)
    spend_per_purchase = factor * row.table["spend_per_purchase"].to_numpy()
    value_at_stake = row.clv.net_values(row.columns, run.model.terms, spend_per_purchase).at_stake
    return money | {"spend_per_purchase": spend_per_purchase, "value_at_stake": value_at_stake}


def _trial(run: TrainingRun, money_of_test: dict[str, np.ndarray], offer: Offer | None) -> TrialOffer:
    row, spend = run.test.labelled, money_of_test["spend_per_purchase"]
    probabilities = {MODEL: run.test.probability, P0: row.table["p0"].to_numpy()}
    offer = offer or example_offer(float(spend.mean()))
    return try_offer(offer, row.churned, probabilities, money_of_test["value_at_stake"], spend)


def _recipe_in_words(run: TrainingRun) -> str:
    recipe, base = run.recipe, run.newest.clv.purchases.title
    if not recipe.rounds:
        churn = translated("{model} alone", model=base)
    elif recipe.monotone:
        churn = translated("{model} corrected by {n} LightGBM trees (monotone)", model=base, n=recipe.rounds)
    else:
        churn = translated("{model} corrected by {n} LightGBM trees", model=base, n=recipe.rounds)
    level = (
        translated("no level put back")
        if recipe.level == NO_RULE
        else translated("level: {rule}", rule=recipe.level.in_words())
    )
    kind = recipe.calibrator.kind
    calibration = (
        translated("no calibration") if kind == "none" else translated("{kind} calibration", kind=kind)
    )
    of_spend = getattr(run.newest.clv.spend, "title", "") or translated("mean spend")
    spend = translated("{model} and {spend}", model=base, spend=of_spend)
    if recipe.spend_rounds:
        spend = translated("{models} corrected by {n} trees", models=spend, n=recipe.spend_rounds)
    return translated(
        "churn from {churn}, {level}, {calibration}; spend from {spend}",
        churn=churn,
        level=level,
        calibration=calibration,
        spend=spend,
    )


def _levels_in_words(run: TrainingRun) -> str:
    """Say what is put back of each level at the newest snapshot; an empty text where there is none."""
    found = [
        translated(
            "{level} ({name}; rule: {rule})",
            level=number(level.at(run.schedule.newest), "+.2f"),
            name=translated(name),
            rule=level.rule.in_words(),
        )
        for name, level in levels(run).items()
    ]
    return written(found)


def _spend_in_words(run: TrainingRun) -> str:
    """Say what spend per purchase is expected from."""
    base = getattr(run.newest.clv.spend, "title", "") or translated("each buyer's mean")
    if run.model.spend is None:
        return base
    limit = number(SPEND_LIMIT, ".0f")
    if run.recipe.price_level == NO_RULE:
        return translated(
            "{model}, corrected by what LightGBM learnt of it, by a factor of {limit} at most; every value column "
            "follows",
            model=base,
            limit=limit,
        )
    return translated(
        "{model}, corrected by what LightGBM and the level of past windows learnt of it, by a factor of {limit} at "
        "most; every value column follows",
        model=base,
        limit=limit,
    )


def _parameters(run: TrainingRun) -> list[dict[str, Any]]:
    """Return the deployed models' parameters with their errors, beside those of the judged ones."""
    new, judged, rows = run.newest.clv, run.test.labelled.clv, []
    for model, before, axes in (
        (new.purchases, judged.purchases, new.purchase_axes),
        (new.spend, judged.spend, new.spend_axes),
    ):
        earlier = asdict(before) if type(before) is type(model) else {}
        # The axes are those of the log-parameters: a deviation there is a share of the parameter.
        shares = np.sqrt((np.asarray(axes) ** 2).sum(axis=0)) if axes else np.full(9, np.nan)
        for (name, value), relative in zip(asdict(model).items(), shares, strict=False):
            row = {"name": f"{getattr(model, 'title', model.name)} {name}", "value": value}
            rows.append(row | {"error": value * relative, "judged": earlier.get(name, float("nan"))})
    return rows


def _tiers(run: TrainingRun) -> list[dict[str, Any]]:
    """Return sums of the deployed model's scores at the newest snapshot, by value tier."""
    rows = []
    tiers = run.model.tiers
    for tier, cut in zip_longest(tiers.names, tiers.cuts, fillvalue=float("nan")):
        part = run.scores[run.scores["value_tier"] == tier]
        sums = {
            name: float(part[name].sum()) for name in ("expected_spend", "expected_value", "value_at_risk")
        }
        churn = float(part["churn_probability"].mean())
        rows.append({"name": tier, "from": cut, "customers": len(part), "churn": churn, **sums})
    return rows
