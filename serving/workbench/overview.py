"""The first page: how old the list is and which model it is of, what is at risk by kind, alerts, and what is due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.responses import Response

from features.customer_groups import STAGES, TIERS
from features.errors import StayworthError
from features.language import translatable, translated, translated_in
from serving.alerts.signals import KIND_NAMES
from serving.store.campaign_changes import PLANNED, SENT
from serving.store.choice import Tally
from serving.store.customers import PublishedSet
from serving.store.rankings import BANDS
from serving.workbench.list_and_champion import PUBLISH, another_version
from serving.workbench.page import page
from serving.workbench.reports import Made
from serving.workbench.visit import Visit
from serving.workbench.words import BAND_NAMES
from training.versions.version import Version

OLD_DAYS = 8
"""A list that was published longer ago is to be made again: lists are made each week at least."""


@dataclass(frozen=True)
class Group:
    """Customers of one kind, how many they are, and what is at risk with them.

    ``query`` chooses them on the page of customers; ``share`` is of the largest group's customers.
    """

    name: str
    customers: int
    value_at_risk: float
    query: str
    share: float


def show(visit: Visit) -> Response:
    """Show the overview."""
    customers = visit.sources.store.customers
    sets = customers.sets()
    if not sets:
        return page(visit, "empty.html")
    newest = sets[0]
    awake = [each for each in customers.tallies() if not each.dormant]
    champion, problem = _champion(visit)
    economics, unreadable = _economics(visit)
    return page(
        visit,
        "overview.html",
        newest=newest,
        age=(datetime.now(UTC) - newest.published_at).days,
        champion=champion,
        list_due=_list_due(sets, champion),
        publish=PUBLISH,
        due=[*problem, *_campaigns_due(visit)],
        economics=economics,
        unreadable=unreadable,
        drift=(champion.tags.get("monitored", ""), champion.tags.get("due", "")) if champion else ("", ""),
        awake=sum(each.customers for each in awake),
        value_at_risk=sum(each.value_at_risk for each in awake),
        alerts=[(translated(KIND_NAMES[kind]), n) for kind, n in sorted(customers.alert_counts().items())],
        groups=_groups(awake),
    )


def _champion(visit: Visit) -> tuple[Version | None, list[str]]:
    try:
        champion = visit.sources.versions.champion()
        return (champion, []) if champion else (None, [visit.sources.versions.registry.no_champion()])
    except StayworthError as error:
        return None, [str(error)]


def _economics(visit: Visit) -> tuple[Made | None, str]:
    """Return the numbers of the economics report, if it is made already, or why it cannot be."""
    if visit.sources.reports is None:
        return None, ""
    try:
        return visit.sources.reports.summary(visit.language), ""
    except StayworthError as error:
        return None, str(error)


def _list_due(sets: Sequence[PublishedSet], champion: Version | None) -> list[str]:
    """Say why a new list should be published soon."""
    newest = sets[0]
    days = (datetime.now(UTC) - newest.published_at).days
    latest = max(each.snapshot_date for each in sets)
    found = [
        translated("The list is {days:day|days} old. Have a new one published.", days=days)
        if days >= OLD_DAYS
        else "",
        translated(
            "The list is of {day:date}, an earlier day than that of {latest:date}, which it took the place of. Have "
            "one of the newest orders published.",
            day=newest.snapshot_date,
            latest=latest,
        )
        if latest > newest.snapshot_date
        else "",
        another_version(newest.model_version, champion.version if champion else None),
    ]
    return [each for each in found if each]


def _campaigns_due(visit: Visit) -> list[str]:
    """Name the campaigns that begin and were not sent, those that nobody has measured, and those no webhook took."""
    today, store = datetime.now(UTC).date(), visit.sources.store
    campaigns = store.campaigns.all()
    late = [
        each.name
        for each in campaigns
        if each.state == PLANNED and each.starts_on and each.starts_on <= today
    ]
    over = [
        each.name for each in campaigns if each.state == SENT and each.closes_on and each.closes_on <= today
    ]
    failed = store.deliveries.given_up()
    untold = [each.name for each in campaigns if each.id in failed]
    said = [
        (late, translatable("Planned, and not sent: {names}.")),
        (over, translatable("Over, and to be measured: {names}.")),
        (untold, translatable("Not taken by the webhook: {names}.")),
    ]
    return [translated(sentence, names=names) for names, sentence in said if names]


def _groups(tallies: Sequence[Tally]) -> list[tuple[str, list[Group]]]:
    """Return the groups under the title of what they are told apart by."""
    tiers: dict[str, str] = {tier: translated_in("value", tier) for tier in TIERS}
    stages: dict[str, str] = {stage: translated_in("value", stage) for stage in STAGES}
    bands = {band: translated(BAND_NAMES[band]) for band in BANDS}
    return [
        (translated("By churn probability"), _told("band", lambda each: each.churn_band, bands, tallies)),
        (translated("By tier"), _told("tier", lambda each: each.value_tier, tiers, tallies)),
        (translated("By stage"), _told("stage", lambda each: each.stage or "", stages, tallies)),
    ]


def _told(
    name: str, kind: Callable[[Tally], str], names: dict[str, str], tallies: Sequence[Tally]
) -> list[Group]:
    sums: dict[str, list[float]] = defaultdict(lambda: [0, 0.0])
    for each in tallies:
        sums[kind(each)][0] += each.customers
        sums[kind(each)][1] += each.value_at_risk
    most = max((number for number, _ in sums.values()), default=1) or 1
    return [
        Group(
            shown,
            int(sums[value][0]),
            sums[value][1],
            f"{name}={value.replace(' ', '+')}",
            sums[value][0] / most,
        )
        for value, shown in names.items()
        if value in sums
    ]
