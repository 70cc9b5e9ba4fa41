"""The model card: one HTML page to judge a version by.

It is made of the finished run and its log, is self-contained (pictures and styles inside, no script, no external
address) and is logged with the version. The text is in ``templates/card.html``; this module gathers the numbers.

References
----------
Mitchell et al. (2019), Model Cards for Model Reporting, FAT* 2019.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from features.language import (
    currency,
    current_language,
    text_direction,
    translated,
    translated_in,
    translation,
)
from features.log.transactions import TransactionLog
from features.retelling import retold_text
from training.clv.later_purchases import AS_TOLD
from training.judging.race import MODEL
from training.judging.recipe_comparison import offer_in_words
from training.judging.trial_offer import TrialOffer, try_offer
from training.metrics.comparison import Comparison, log_losses, paired_bootstrap
from training.metrics.money import decile_table
from training.metrics.probabilities import TIE
from training.offers.offers import Offer, example_offer
from training.report.card_candidates import candidates, level_gains
from training.report.card_checks import checks
from training.report.card_intensity import intensities
from training.report.card_pictures import P0, pictures
from training.report.card_race import racers, row_of, spend_of_model, winner_of
from training.report.formats import costs_in_words, count, day, files_in_words, money, number, share
from training.report.purchase_tracking import weekly_purchases
from training.report.recipe_words import (
    frequency_in_words,
    later_in_words,
    levels_in_words,
    recipe_in_words,
    spend_in_words,
)
from training.report.season_ahead import season_ahead

if TYPE_CHECKING:
    from training.run import TrainingRun


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
    trial, expected_purchases = _trial(run, offer), float(run.test.expected_purchases.sum())
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
        "ours": {part: row_of(run.test.race, part, MODEL) for part in ("all", "recent")},
        "base": row_of(run.test.race, "all", "base rate"),
        "winners": {part: winner_of(run.test.race, part) for part in ("all", "recent")},
        "racers": racers(run.test.race),
        "against_p0": _against_p0(run),
        "purchases": (expected_purchases, float(run.test.labelled.outcomes["purchases"].sum())),
        "checks": checks(run, expected_purchases),
        "recipe": recipe_in_words(run),
        "season_ahead": season_ahead(run),
        "intensities": intensities(run.recipe),
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
        "levels": levels_in_words(run),
        "candidates": candidates(run.recipe),
        "level_gains": level_gains(run.recipe),
        "frequency_in_words": frequency_in_words(run),
        "later_in_words": later_in_words(run),
        "later_learnt": run.model.valuation.later != AS_TOLD,
        "spend_in_words": spend_in_words(run),
        "tiers": _tiers(run),
        "pictures": pictures(run, trial, weeks),
    }
    return _environment().get_template("card.html").render(content)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("training.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "retold_text": retold_text,
        "day": day,
        "money": money,
        "share": share,
        "number": number,
        "count": count,
    }
    environment.globals.update(
        translated=translated,
        translated_in=translated_in,
        translation=translation,
        language=current_language(),
        direction=text_direction(),
    )
    return environment


def _against_p0(run: TrainingRun) -> Comparison:
    row = run.test.labelled
    alone = log_losses(row.churned, row.table["p0"].to_numpy())
    return paired_bootstrap(log_losses(row.churned, run.test.probability), alone, samples=500)


def _trial(run: TrainingRun, offer: Offer | None) -> TrialOffer:
    """Try an offer on the test snapshot's customers, valued as they were judged."""
    row, spend = run.test.labelled, run.test.spend_per_purchase
    at_stake = row.clv.net_values(row.columns, run.model.terms, spend, later=run.test.later).at_stake
    probabilities = {MODEL: run.test.probability, P0: row.table["p0"].to_numpy()}
    offer = offer or example_offer(float(spend.mean()))
    return try_offer(offer, row.churned, probabilities, at_stake, spend)


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
