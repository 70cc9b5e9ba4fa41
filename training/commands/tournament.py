"""The command ``tournament``: targeting policies compared on a past randomised campaign."""

from __future__ import annotations

import typer

from features.commands.console import progress, show_json, show_table
from features.commands.options import AsJson, options
from training.experiments.past_experiment import TournamentSettings, read_experiment
from training.threads import cpu_quota


@options
def tournament(settings: TournamentSettings, as_json: AsJson = False) -> None:
    """Compare targeting policies on a past randomised campaign: risk, response, value, uplift, random, all, none.

    Example: stayworth tournament --experiment hillstrom.csv.gz --treatment segment --contacted "Womens E-Mail"
    --control "No E-Mail" --outcome visit --ignore conversion --ignore spend --value history
    """
    from training.experiments.tournament import tournament as compare

    table, arm = read_experiment(settings)
    dropped = {settings.treatment, settings.outcome, "customer_id", *settings.ignore}
    features = table[[name for name in table.columns if name not in dropped]]
    with progress() as report:
        report("Fitting uplift models", 0, 0)
        found = compare(
            features,
            arm,
            table[settings.outcome],
            value=table[settings.value] if settings.value else None,
            outcome_value=settings.outcome_value,
            contact_cost=settings.cost,
            contacted_share=settings.share,
            seed=settings.seed,
            threads=cpu_quota(),
        )
    contacted, alone = int(arm.sum()), int((~arm).sum())
    if as_json:
        show_json({"contacted": contacted, "not_contacted": alone, **found.to_dict()})
        return
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
    show_table(
        f"{contacted:,} contacted, {alone:,} not contacted",
        ["Policy", "Qini", "90% interval", "Contacts", "Gain per contact", "90% interval", "per customer"],
        rows,
    )
    typer.echo(f"\n{found.verdict()}")
