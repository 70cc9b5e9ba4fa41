"""The command ``backtest``: the profit of the model's plan and of simpler policies at past snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from features.commands.console import progress, show_json, show_table
from features.commands.log import open_log
from features.commands.options import CONFIG_ONLY, AsJson, InLanguage, options
from features.language import translated, translation, written
from features.log.settings import Columns, LogSettings
from training.backtest.settings import BacktestSettings
from training.behaviour_settings import BehaviourSettings, OwnFeatureSettings
from training.cost_settings import CostSettings

if TYPE_CHECKING:
    from training.backtest.account import Account
    from training.offers.offers import Offer


@options
def backtest(
    log: LogSettings,
    columns: Columns,
    settings: BacktestSettings,
    costs: CostSettings,
    behaviour: BehaviourSettings,
    own: Annotated[OwnFeatureSettings, CONFIG_ONLY],
    language: InLanguage = "en",
    as_json: AsJson = False,
) -> None:
    """Compare the model's plan with simpler policies and perfect foresight at past snapshots, by profit.

    Who churned is known; the effect of the offer is assumed. Each snapshot's model learns from windows closed by then.
    A policy that only ranks customers contacts as many as the model's plan.

    Example: stayworth backtest --transactions orders.csv --contact-cost 1 --incentive-share 0.1
    """
    from features.table_files import writer_for
    from training.backtest.replay import backtest as replay

    offer = settings.the_offer()
    costs.stated()  # refuses what cannot be used now, before the log is read
    cost_files = costs.files(log)
    beside = own.added(behaviour.files(costs, log, cost_files))
    write = writer_for(settings.out) if settings.out else None
    with progress() as report:
        orders = open_log(log, columns, report)
        account = replay(
            orders,
            offer,
            settings.training(),
            snapshots=settings.snapshots,
            everyone=settings.everyone,
            costs=costs,
            cost_files=cost_files,
            beside=beside,
            report=report,
        )
        if write and settings.out:
            import pyarrow as pa

            write(pa.Table.from_pandas(account.table, preserve_index=False), settings.out)
    if as_json:
        show_json(account.to_dict())
        return
    show_account(account)
    if (found := len(account.prospects)) < settings.snapshots:
        typer.echo(
            translated(
                "Note: the log is long enough for {found} of the {snapshots} snapshots.",
                found=found,
                snapshots=settings.snapshots,
            )
        )
    if settings.out:
        typer.echo()
        typer.echo(translated("Written: {path}", path=settings.out))


def show_account(account: Account) -> None:
    """Print an account: each snapshot's profits, the average with its intervals, the measures, the verdict."""
    days = account.prospects[0].window.horizon_days
    typer.echo(_wording(account.offer))
    typer.echo(translated("Churn window: {days} days.", days=days))
    typer.echo()
    _show_snapshots(account)
    typer.echo()
    _show_average(account)
    typer.echo()
    _show_measures(account)
    typer.echo(f"\n{account.verdict()}")
    typer.echo(
        translated(
            "Note: nobody was contacted. Who left is known; acceptance, redemption and the value at stake are assumed, "
            "alike for all. The intervals are over customers, not over seasons."
        )
    )


def _wording(offer: Offer) -> str:
    return translated(
        "Offer: a contact costs {contact:,.2f}, the incentive {incentive}; {leavers:.0%} of those who would leave "
        "accept, {stayers:.0%} of those who would stay anyway take it too.",
        contact=offer.contact_cost,
        incentive=offer.incentive_in_words,
        leavers=offer.acceptance,
        stayers=offer.redemption_rate,
    )


def _show_snapshots(account: Account) -> None:
    from training.backtest.policies import POLICIES
    from training.report.formats import money

    profit = account.table.pivot(index="policy", columns="snapshot", values="profit")
    dates = [str(each.snapshot) for each in account.prospects]
    rows = [[translation(name), *(money(profit.loc[name, day]) for day in dates)] for name in POLICIES]
    rows.append([translated("customers"), *(written(len(each.churned), ",") for each in account.prospects)])
    rows.append(
        [translated("who churned"), *(written(each.churned.mean(), ".1%") for each in account.prospects)]
    )
    show_table(
        translated("Realised profit at each snapshot"),
        [translated("Policy"), *(written(day, "date") for day in dates)],
        rows,
    )


def _show_average(account: Account) -> None:
    from training.backtest.policies import CHAMPION, FORESIGHT
    from training.report.formats import between, money, share

    rows = []
    for name, row in account.average().iterrows():
        lead = ["", ""]
        if name not in (CHAMPION, FORESIGHT):
            lead = [money(row["champion_lead"]), between(money(row["lead_low"]), money(row["lead_high"]))]
        rows.append(
            [
                translation(str(name)),
                written(row["contacted"], ",.0f"),
                money(row["profit"]),
                between(money(row["profit_low"]), money(row["profit_high"])),
                *lead,
                share(row["foresight_share"]),
            ]
        )
    interval = translated("90% interval")
    header = [translated("Policy"), translated("Contacts"), translated("Profit"), interval]
    header += [translated("Plan's lead"), interval, translated("Of foresight")]
    show_table(translated("The average snapshot"), header, rows)


def _show_measures(account: Account) -> None:
    from training.backtest.policies import RANKINGS

    mean = account.measures.drop(columns="snapshot").groupby("ranking").mean().loc[list(RANKINGS)]
    rows = []
    for name, row in mean.iterrows():
        cells = [written(row[m], ".2f") for m in ("empc", "mpc", "empb")]
        above = [written(row[m] - row[f"{m}_floor"], ".2f") for m in ("empc", "mpc", "empb")]
        pairs = (cell for pair in zip(cells, above, strict=True) for cell in pair)
        rows.append([translation(str(name)), *pairs])
    floor = translated("above floor")
    header = [translated("Ranking"), "EMPC", floor, "MPC", floor, "EMPB", floor]
    show_table(translated("Profit measures per customer, averaged"), header, rows)
    typer.echo(
        translated(
            "EMPC and MPC judge the risk under the literature's offer (value 200, incentive 10, contact 1); EMPB "
            "judges the order under this offer, at its best length in hindsight. The floor is the better of everybody "
            "and nobody."
        )
    )
