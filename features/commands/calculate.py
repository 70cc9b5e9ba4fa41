"""The commands ``calculate …``: plans of customer economics without a log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from features.commands.console import show_json, show_table
from features.commands.options import AsJson, options
from features.errors import StayworthError
from features.language import translated

calculate = typer.Typer(name="calculate", no_args_is_help=True, add_completion=False)

Rate = Annotated[float, typer.Option("--rate", help="Yearly discount rate: 0.15 is 15%.")]
Customers = Annotated[float, typer.Option("--customers", help="Customers acquired.")]
Cac = Annotated[float, typer.Option("--cac", help="Cost of acquiring a customer.")]
Retention = Annotated[
    str, typer.Option("--retention", help="Share that stays through each year, such as '0.6 0.7 0.75'.")
]
Profit = Annotated[
    str, typer.Option("--profit", help="Profit of each customer in each year, such as '50 70 100'.")
]


@calculate.callback()
def _calculate() -> None:
    """Compute plans without a log: the value of a cohort, what-if, payback, tenure, growth, real money."""


@calculate.command("cohort-value")
@options
def cohort_value(
    customers: Customers,
    retention: Retention,
    profit: Profit,
    cac: Cac = 0.0,
    rate: Rate = 0.0,
    as_json: AsJson = False,
) -> None:
    """Value a cohort of customers, year by year: what it brings, and when it has paid for itself.

    Example: stayworth calculate cohort-value --customers 1000 --cac 100 --rate 0.15
    --retention '0.6 0.7' --profit '90 140'
    """
    from features.economics.cohort_plan import CohortPlan

    plan = CohortPlan(customers, cac, rate, _numbers(retention, "--retention"), _numbers(profit, "--profit"))
    columns = (plan.surviving, plan.discounted, plan.cumulative)
    rows = [[year, *map(float, row)] for year, row in enumerate(zip(*columns, strict=True), start=1)]
    if as_json:
        names = ("year", "surviving", "discounted_profit", "cumulative")
        years = [dict(zip(names, row, strict=True)) for row in rows]
        show_json({"years": years, "value": plan.value, "payback_year": plan.payback_year})
        return
    show_table("Cohort", ["Year", "Customers left", "Profit today", "Less acquisition, so far"], rows)
    paid = (
        "It never pays for itself"
        if plan.payback_year is None
        else f"It has paid for itself in year {plan.payback_year}"
    )
    typer.echo(f"\nThe cohort is worth {plan.value:,.2f}. {paid}.")


@calculate.command("what-if")
@options
def what_if(
    customers: Customers,
    retention: Retention,
    profit: Profit,
    cac: Cac = 0.0,
    rate: Rate = 0.0,
    retention_points: Annotated[
        float, typer.Option("--retention-points", help="Added to each retention: 0.01 is one point.")
    ] = 0.01,
    cac_change: Annotated[
        float, typer.Option("--cac-change", help="Relative change: -0.1 is 10% less.")
    ] = -0.10,
    profit_change: Annotated[
        float, typer.Option("--profit-change", help="Relative change: 0.05 is 5% more.")
    ] = 0.05,
    as_json: AsJson = False,
) -> None:
    """Rank what better retention, cheaper acquisition and more profit would each add to a cohort.

    Example: stayworth calculate what-if --customers 1000 --cac 100 --rate 0.15 --retention '0.6 0.7' --profit '90 140'
    """
    from features.economics.cohort_plan import CohortPlan, what_if as changes

    plan = CohortPlan(customers, cac, rate, _numbers(retention, "--retention"), _numbers(profit, "--profit"))
    gains = changes(plan, retention_points=retention_points, cac_share=cac_change, profit_share=profit_change)
    _show(as_json, "What each change alone would add", {"value": plan.value, **gains})


@calculate.command("present-value")
@options
def present_value(
    flows: Annotated[str, typer.Option("--flows", help="Yearly flows, today's first, such as '-50 30 40'.")],
    rate: Rate = 0.0,
    as_json: AsJson = False,
) -> None:
    """Discount yearly flows to what they are worth today.

    Example: stayworth calculate present-value --flows '-50 30 40 55 72 88' --rate 0.15
    """
    from features.economics.calculators import present_value as discounted

    given = _numbers(flows, "--flows")
    _show(as_json, "Present value", {"present value": discounted(given, rate), "undiscounted": sum(given)})


@calculate.command()
@options
def payback(
    cac: Cac,
    margin: Annotated[float, typer.Option("--margin", help="Margin of each purchase.")],
    as_json: AsJson = False,
) -> None:
    """Count the purchases that cover the cost of acquiring a customer.

    Example: stayworth calculate payback --cac 555556 --margin 150000
    """
    from features.economics.calculators import payback as covered

    found = covered(cac, margin)
    _show(as_json, "Payback", {"purchases": found.purchases, "exactly": found.exact})


@calculate.command()
@options
def tenure(
    churn: Annotated[float | None, typer.Option("--churn", help="Share that leaves in a period.")] = None,
    retention: Annotated[float | None, typer.Option("--retention", help="Or: the share that stays.")] = None,
    periods: Annotated[
        float, typer.Option("--periods", help="Also the churn over so many periods; 0.5 is half of one.")
    ] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Compute how many periods a customer stays, and the churn over several.

    Example: stayworth calculate tenure --retention 0.9
    """
    from features.economics.calculators import churn_over, tenure as stay

    if (churn is None) == (retention is None):
        raise StayworthError(translated("Give --churn or --retention, one of the two."))
    rate = 1 - (retention or 0.0) if churn is None else churn
    found: dict[str, Any] = {"churn rate": rate, "periods that a customer stays": stay(rate)}
    if periods != 1:
        found[f"churn over {periods:g} periods"] = churn_over(rate, periods)
    _show(as_json, "Tenure", found, digits=4)


@calculate.command()
@options
def growth(
    start: Annotated[float, typer.Option("--start", help="Customers at the start.")],
    new: Annotated[float, typer.Option("--new", help="New customers.")] = 0.0,
    returned: Annotated[float, typer.Option("--returned", help="Returned customers.")] = 0.0,
    lost: Annotated[float, typer.Option("--lost", help="Lost customers.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Grow a customer base: start + new + returned - lost.

    Example: stayworth calculate growth --start 17000000 --new 680000 --lost 170000
    """
    from features.economics.calculators import BaseChange

    change = BaseChange(start, new, returned, lost)
    found = {name: getattr(change, name) for name in ("end", "churn_rate", "growth", "gross_growth")}
    _show(
        as_json, "Customer base", {name.replace("_", " "): value for name, value in found.items()}, digits=4
    )


@calculate.command("real-money")
@options
def real_money(
    inflation: Annotated[float, typer.Option("--inflation", help="Yearly inflation: 0.3 is 30%.")],
    rate: Rate = 0.0,
    amount: Annotated[float, typer.Option("--amount", help="Amount in some years.")] = 100.0,
    years: Annotated[float, typer.Option("--years", help="Years from now.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Deflate a rate and an amount: what is left of them after inflation.

    Example: stayworth calculate real-money --inflation 0.30 --rate 0.15 --amount 100000 --years 2
    """
    from features.economics.calculators import real_rate, real_value

    found = {
        "real rate": real_rate(rate, inflation),
        "at today's prices": real_value(amount, inflation, years),
    }
    _show(as_json, "Real money", found, digits=6)


@calculate.command()
@options
def cac(
    channels: Annotated[
        list[str],
        typer.Argument(
            help="Cost of acquiring a customer and customers of each channel: 'television=300:1'."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Blend the cost of acquiring a customer over channels, weighted by their customers.

    Example: stayworth calculate cac 'word of mouth=66:5' television=300:1
    """
    from features.economics.calculators import blended_cac

    given = dict(map(_channel, channels))
    if len(given) < len(channels):
        raise StayworthError(translated("A channel stands twice. Give each once."))
    plain = sum(cost for cost, _ in given.values()) / len(given)
    _show(as_json, "Cost of acquiring a customer", {"blended": blended_cac(given), "mean of channels": plain})


@calculate.command()
@options
def shift(
    quantity: Annotated[float, typer.Option("--quantity", help="Contacts at the dearer touchpoint.")],
    share: Annotated[float, typer.Option("--share", help="Share of them that moves: 0.2 is 20%.")],
    cost_from: Annotated[float, typer.Option("--cost-from", help="Cost of a contact there.")],
    cost_to: Annotated[float, typer.Option("--cost-to", help="Cost of a contact at the cheaper touchpoint.")],
    contacts_each: Annotated[
        float, typer.Option("--contacts-each", help="Contacts there that take the place of one.")
    ] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Compute what moving contacts to a cheaper touchpoint saves; overhead stays.

    Example: stayworth calculate shift --quantity 1000 --share 0.2 --cost-from 5 --cost-to 0.5 --contacts-each 2
    """
    from features.economics.calculators import shift_saving

    _show(as_json, "Shift", {"saved": shift_saving(quantity, share, cost_from, cost_to, contacts_each)})


def _channel(text: str) -> tuple[str, tuple[float, float]]:
    """Read ``name=cost:customers``."""
    name, _, numbers = text.rpartition("=")
    cost, _, customers = numbers.partition(":")
    try:
        return name, (float(cost), float(customers))
    except ValueError:
        raise StayworthError(
            translated(
                "{text_2!r} is no channel. Write it as 'television=300:1', cost and customers.", text_2=text
            )
        ) from None


def _show(as_json: bool, title: str, found: dict[str, Any], digits: int = 2) -> None:
    if as_json:
        show_json(found)
        return
    rows = [
        [name, "" if value is None else f"{value:,.{digits}f}".rstrip("0").rstrip(".")]
        for name, value in found.items()
    ]
    show_table(title, ["", ""], rows)


def _numbers(text: str, flag: str) -> Sequence[float]:
    """Read numbers between blanks, commas or semicolons; Persian digits are digits."""
    try:
        return [float(part) for part in text.replace(",", " ").replace(";", " ").split()]
    except ValueError:
        raise StayworthError(
            translated(
                "{flag}: {text_2!r} is no list of numbers. Write it as '0.6 0.7 0.75'.",
                flag=flag,
                text_2=text,
            )
        ) from None
