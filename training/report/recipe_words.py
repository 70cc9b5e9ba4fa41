"""What a run's models are made of, in words: its recipe, the levels put back, and what spend is expected from."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from features.language import translatable, translated, written
from training.churn.level import NO_RULE, Level
from training.clv.later_purchases import Line
from training.report.formats import number

if TYPE_CHECKING:
    from training.run import TrainingRun


def recipe_in_words(run: TrainingRun) -> str:
    """Say what churn and spend are predicted from."""
    recipe, title = run.recipe, run.newest.clv.purchases.title
    base = (
        translated("a line in {model}", model=translated("{title}'s p0", title=title))
        if recipe.weighed
        else title
    )
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
    spend = translated("{model} and {spend}", model=title, spend=of_spend)
    if rounds := recipe.frequency_rounds + recipe.price_rounds:
        spend = translated("{models} corrected by {n} trees", models=spend, n=rounds)
    models = translated(
        "churn from {churn}, {level}, {calibration}; spend from {spend}",
        churn=churn,
        level=level,
        calibration=calibration,
        spend=spend,
    )
    return translated("{models}; dates by customers' own rhythm", models=models) if recipe.rhythm else models


def levels_in_words(run: TrainingRun) -> str:
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


def frequency_in_words(run: TrainingRun) -> str:
    """Say how many purchases are expected in the churn window of who makes one: of a usual and a frequent buyer.

    `training.churn.frequency` has the line that says so of all.
    """
    base = translated("what {title} says", title=run.newest.clv.purchases.title)
    if run.model.spend is None:
        return base
    line = run.model.spend.frequency
    usual, often = run.newest.table["purchases_if_active"].quantile([0.5, 0.95])
    told = [1 + exp(line.constant) * (said - 1) ** line.weight for said in (usual, often)]
    said = translated(
        "{first} where {title} says {usual}, {second} where it says {often}",
        first=number(told[0], ".1f"),
        usual=number(usual, ".1f"),
        second=number(told[1], ".1f"),
        often=number(often, ".1f"),
        title=run.newest.clv.purchases.title,
    )
    if not run.recipe.frequency_rounds:
        return said
    return translated("{model}, corrected by {n} LightGBM trees", model=said, n=run.recipe.frequency_rounds)


def later_in_words(run: TrainingRun) -> str:
    """Say how many purchases are expected between the churn window and the end of the value horizon."""
    title, model = run.newest.clv.purchases.title, run.model
    later = model.valuation.later
    values = run.newest.clv.values(run.newest.columns, model.terms, later=later)
    cases = {
        translatable("of those silent in the churn window, {factor} times what {title} says"): (
            later.silent,
            values.silent,
            values.silent_factor,
        ),
        translatable("of those who buy in it, with the window, {factor} times what {title} says"): (
            later.active,
            values.active,
            values.active_factor,
        ),
    }
    found = [
        translated(case, factor=number(learnt.sum() / (learnt / factor).sum(), ".2f"), title=title)
        for case, (line, learnt, factor) in cases.items()
        if line != Line()
    ]
    if not found:
        return translated("what {title} says", title=title)
    return translated("{cases}: as it came where a value horizon has closed", cases=written(found))


def spend_in_words(run: TrainingRun) -> str:
    """Say what spend per purchase is expected from."""
    base = getattr(run.newest.clv.spend, "title", "") or translated("each buyer's mean")
    if run.model.spend is None:
        return base
    if run.recipe.price_rounds:
        base = translated("{model}, corrected by {n} LightGBM trees", model=base, n=run.recipe.price_rounds)
    if run.recipe.price_level != NO_RULE:
        base = translated("{model}, at the level of past windows", model=base)
    return translated("{model}; every value column follows", model=base)


def levels(run: TrainingRun) -> dict[str, Level]:
    """Return what closed windows missed in common, by name; none where the log was too young for all of them."""
    levels = {translatable("churn, log-odds"): run.model.churn.level}
    if run.model.spend is not None:
        levels[translatable("money per purchase, logarithm of the factor")] = run.model.spend.price.level
    return {name: level for name, level in levels.items() if level.days}
