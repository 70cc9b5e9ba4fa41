"""The command ``tournament``: targeting policies compared on a past randomised campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from features.commands.console import progress, show_json, show_table
from features.commands.options import AsJson, options
from training.experiments.past_experiment import TournamentSettings, read_experiment
from training.threads import cpu_quota

if TYPE_CHECKING:
    from training.experiments.offer_choice import OfferChoice
    from training.experiments.tournament import Tournament


@options
def tournament(settings: TournamentSettings, as_json: AsJson = False) -> None:
    """Compare targeting policies on a past randomised campaign: risk, response, value, uplift, random, all, none.

    Example: stayworth tournament --experiment hillstrom.csv.gz --treatment segment --contacted "Womens E-Mail"
    --control "No E-Mail" --outcome visit --ignore conversion --ignore spend --value history

    Of several offers (--contacted "Womens E-Mail" --contacted "Mens E-Mail"), each has its tournament against the
    customers not contacted, and the choice among them is compared: one for all, or for each customer the best.
    """
    found, choice, counts = _compared(settings)
    if as_json:
        show_json(_document(found, choice, counts))
        return
    for name, each in found.items():
        title = f"{counts[name]:,} contacted, {counts[settings.control]:,} not contacted"
        show_tournament(each, f"{name}: {title}" if choice else title)
        typer.echo()
    if choice:
        show_choice(choice, list(found))


def _compared(
    settings: TournamentSettings,
) -> tuple[dict[str, Tournament], OfferChoice | None, dict[str, int]]:
    """Return each offer's tournament, of several offers the choice among them, and the customers of each group."""
    from training.experiments.offer_choice import choose_offers
    from training.experiments.tournament import tournament as compare

    table, arm = read_experiment(settings)
    dropped = {settings.treatment, settings.outcome, "customer_id", *settings.ignore}
    features = table[[name for name in table.columns if name not in dropped]]
    value, seed, threads = settings.outcome_value, settings.seed, cpu_quota()
    found, counts = {}, {settings.control: int((arm == 0).sum())}
    with progress() as report:
        for number, (name, cost) in enumerate(settings.offers.items(), 1):
            report("Fitting uplift models", number - 1, len(settings.offers))
            rows = arm.isin([0, number])
            found[name] = compare(
                features[rows],
                arm[rows] == number,
                table.loc[rows, settings.outcome],
                value=table.loc[rows, settings.value] if settings.value else None,
                contact_cost=cost,
                contacted_share=settings.share,
                outcome_value=value,
                seed=seed,
                threads=threads,
            )
            counts[name] = int((arm == number).sum())
        if len(found) == 1:
            return found, None, counts
        report("Choosing among the offers", 0, 0)
        outcome, offers = table[settings.outcome], settings.offers
        choice = choose_offers(
            features, arm, outcome, offers, outcome_value=value, seed=seed, threads=threads
        )
    return found, choice, counts


def _document(
    found: dict[str, Tournament], choice: OfferChoice | None, counts: dict[str, int]
) -> dict[str, object]:
    alone = next(iter(counts.values()))
    documents = {
        name: {"contacted": counts[name], "not_contacted": alone, **each.to_dict()}
        for name, each in found.items()
    }
    if choice is None:
        return next(iter(documents.values()))
    return {"offers": documents, "choice": choice.to_dict()}


def show_tournament(found: Tournament, title: str) -> None:
    """Print the standings and the verdict."""
    rows = [
        [
            each.policy,
            f"{each.qini:.3f}",
            f"{each.qini_low:.3f} to {each.qini_high:.3f}",
            f"{each.contacted_share:.0%}",
            "" if each.gain_per_contact != each.gain_per_contact else f"{each.gain_per_contact:.4f}",
            ""
            if each.gain_per_contact != each.gain_per_contact
            else f"{each.gain_per_contact_low:.4f} to {each.gain_per_contact_high:.4f}",
            f"{each.gain_per_customer:.4f}",
        ]
        for each in found.standings
    ]
    header = [
        "Policy",
        "Qini",
        "90% interval",
        "Contacts",
        "Gain per contact",
        "90% interval",
        "per customer",
    ]
    show_table(title, header, rows)
    typer.echo(f"\n{found.verdict()}")


def show_choice(choice: OfferChoice, offers: list[str]) -> None:
    """Print what each way of choosing among offers gains, and the verdict."""
    rows = [
        [
            each.policy,
            *(f"{each.shares[name]:.0%}" for name in offers),
            f"{each.gain_per_customer:.4f}",
            f"{each.gain_low:.4f} to {each.gain_high:.4f}",
        ]
        for each in choice.standings
    ]
    header = ["Policy", *offers, "Gain per customer", "90% interval"]
    show_table("Which offer for whom: shares of customers, and gain over contacting nobody", header, rows)
    typer.echo(f"\n{choice.verdict()}")
