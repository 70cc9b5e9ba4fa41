"""The sources of a report: the log and the files that its settings name, each read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from features.economics.acquisition import Spend
from features.economics.cost_table import CostTable, UnitCost
from features.economics.dated_segments import STAGE, TIER, StageSegments, TierSegments
from features.economics.facts import Facts
from features.economics.identities import united
from features.economics.inputs import CostInputs, Inputs
from features.economics.leads import Leads
from features.economics.log_agreement import match_customers, require_currency
from features.economics.money import Deflator, MoneyUnit
from features.economics.people import (
    ACQUISITION_CHANNEL,
    SHARE_OF_WALLET,
    CustomerTable,
    read_scored,
    read_wallets,
)
from features.economics.periods import PeriodLength, Periods
from features.economics.receivables import Receivables
from features.economics.referrals import Referrals
from features.economics.segments import ListedSegments, Segments, read_segments
from features.economics.settings import INACTIVITY_DAYS, ReportSettings
from features.economics.stages import StageInputs
from features.economics.surveys import Surveys
from features.economics.targets import Targets
from features.economics.touches import Touches
from features.errors import StayworthError
from features.language import translated
from features.log.matching import MatchError
from features.log.settings import LogSettings
from features.log.transactions import TransactionLog

_File = TypeVar("_File", bound=Touches | Surveys | Receivables | Referrals | Leads)
_IDS = {"customer_id", "referrer_id", "referred_id"}


class ReportSources:
    """The log and the files of a report.

    Reading them raises a StayworthError where a file cannot be read or used.

    Parameters
    ----------
    settings : ReportSettings
    log : LogSettings, how ids, dates and numbers are written
    orders : TransactionLog
    aliases : mapping of ids to the customers whom they stand for
    campaigns : Touches and sequence of UnitCost, optional: the contacts of campaigns and what each costs

    Attributes
    ----------
    orders : TransactionLog, aliases united
    inactivity_days : int, the settings', else the scored list's, else `INACTIVITY_DAYS`
    said : list of str, sentences about the files
    """

    def __init__(
        self,
        settings: ReportSettings,
        log: LogSettings,
        orders: TransactionLog,
        aliases: Mapping[str, str],
        campaigns: tuple[Touches, Sequence[UnitCost]] | None = None,
    ) -> None:
        self.settings, self.log, self.aliases = settings, log, dict(aliases)
        self.campaigns = campaigns
        self.orders, self.said = orders, list[str]()
        if log.identities:
            self.orders, sentence = united(orders, self.aliases, log.identities.name)
            self.said.append(sentence)
        if settings.margin and "margin_cents" in orders.table.column_names:
            self.said.append(
                translated(
                    "--margin {share:g} is not used, for the log has margins of its own. To use it: "
                    "--ignore-column {column}.",
                    share=settings.margin,
                    column=orders.names.get("margin", "margin"),
                )
            )
        self._known = self.orders.table["customer_id"].unique().to_pylist()
        self.people = self.scored = None
        if settings.customers:
            self.people = CustomerTable(
                settings.customers, self._known, log, self.aliases, loosely=settings.loose_ids
            )
            self.said += self.people.notes
        if settings.scores:
            self.scored = read_scored(settings.scores, self._known, log, self.aliases)
            self.said += self.scored.notes
        self.inactivity_days = self._inactivity()
        span, path = (self.orders.first_day, self.orders.last_day), log.deflator
        self._deflator = Deflator.read(path, *span, log) if path else None
        self._referrals = self._read(Referrals.read, settings.referrals)
        self._surveys = self._read(Surveys.read, settings.surveys)
        self._wallets = read_wallets(self.people) if self.people and self._has(SHARE_OF_WALLET) else None
        self._segments = self._read_segments(settings.segment) if settings.segment else None

    def facts(self, period: PeriodLength | None = None) -> Facts:
        """Return the facts by periods, by default the settings'; to be closed."""
        settings, span = self.settings, (self.orders.first_day, self.orders.last_day)
        return Facts(
            self.orders,
            Periods(*span, period or settings.period, settings.calendar),
            inactivity_days=self.inactivity_days,
            margin=settings.margin,
            deflator=self._deflator,
            segments=self._segments,
        )

    def inputs(self, facts: Facts, stack: ExitStack) -> Inputs:
        """Read what there is beside the log; facts by month that costs need are closed with the stack."""
        settings, log, scored = self.settings, self.log, self.scored
        margin = translated("{share:g} of net revenue", share=settings.margin) if settings.margin else ""
        inputs = Inputs(
            unit=MoneyUnit.of(settings.money_unit, self.orders.currency),
            spend=Spend.read(settings.spend, log) if settings.spend else None,
            targets=Targets.read(settings.targets, facts.periods, facts.groups, log)
            if settings.targets
            else None,
            surveys=self._surveys,
            leads=self._read(Leads.read, settings.leads),
            referrals=self._referrals,
            receivables=self._read(Receivables.read, settings.receivables),
            channel_of=self.people.values(ACQUISITION_CHANNEL)
            if self.people and self._has(ACQUISITION_CHANNEL)
            else None,
            wallets=self._wallets,
            segment=settings.segment or "",
            discount_rate=settings.discount_rate,
            margin=translated("the log's margins") if "margin_cents" in self.orders.columns else margin,
        )
        self._check(inputs)
        if scored:
            inputs = replace(
                inputs,
                potential=scored.potential,
                potential_high=scored.high,
                tiers=scored.tiers,
                scored_inactivity_days=scored.inactivity_days,
            )
        if settings.costs or self.campaigns:
            inputs = self._with_costs(inputs, facts, stack)
        if settings.touchpoints and inputs.costs is None:
            self.said.append(
                translated(
                    "{file} is not used: a report needs what a touch costs, [[touchpoints]] of --costs.",
                    file=settings.touchpoints.name,
                )
            )
        return inputs

    def _check(self, inputs: Inputs) -> None:
        """Refuse amounts in another currency than the log's, and keep what was found in files for the reader."""
        settings = self.settings
        for given, path in (
            (inputs.spend, settings.spend),
            (inputs.receivables, settings.receivables),
            (self.scored, settings.scores),
        ):
            if given and path:
                require_currency(given.currency, self.orders.currency, path.name)
        of_people = self.people.file.findings if self.people else ()
        for finding in (*(inputs.targets.findings if inputs.targets else ()), *of_people):
            self.said.append(finding.message)

    def _with_costs(self, inputs: Inputs, facts: Facts, stack: ExitStack) -> Inputs:
        """Add the costs, which are shared out by month, and those of campaigns."""
        costs = self.settings.costs
        table = CostTable.read(costs) if costs else CostTable()
        inputs = replace(inputs, unpaid_rates=table.unpaid_rates)
        touches = None
        if table.units or table.pools:
            touches = self._read(Touches.read, self.settings.touchpoints)
        touches = touches or Touches.none()
        if self.campaigns:
            contacts, units = self.campaigns
            touches, names = touches.and_others(contacts), frozenset(each.touchpoint for each in units)
            table = replace(table, units=[*table.units, *units], campaigns=names)
        if not (table.units or table.pools):
            return inputs
        months = facts if self.settings.period == "month" else stack.enter_context(self.facts("month"))
        return replace(inputs, costs=CostInputs(months, touches, table))

    def _read(
        self, read: Callable[[Path, LogSettings, dict[str, str]], _File], path: Path | None
    ) -> _File | None:
        """Read a file about customers, and say how many of them are in the log."""
        if path is None:
            return None
        found = read(path, self.log, self.aliases)
        table = found.table
        ids = {each for name in _IDS & {*table.column_names} for each in table[name].to_pylist()}
        try:
            pairs, said = match_customers(
                ids - {None}, self._known, path.name, loosely=self.settings.loose_ids
            )
        except MatchError as nobody:
            pairs, said = {}, [str(nobody)]
        self.said += said
        otherwise = {given: customer for given, customer in pairs.items() if given != customer}
        return read(path, self.log, self.aliases | otherwise) if otherwise else found

    def _read_segments(self, name: str) -> Segments:
        dated: dict[str, Segments] = {}
        if name == STAGE:
            given = StageInputs(self._referrals, self._surveys, self._wallets or {})
            dated[name] = StageSegments(self.inactivity_days, given)
        elif name == TIER:
            dated[name] = self._tiers()
        return read_segments(name, self.people, self.orders.columns, dated)

    def _tiers(self) -> Segments:
        """Return the tiers of the scored list, and of those of earlier days."""
        if self.scored is None or not self.scored.tiers:
            raise StayworthError(
                translated(
                    "--segment tier needs a scored list with a column value_tier: give --scores, as 'stayworth score' "
                    "wrote it."
                )
            )
        earlier = [
            read_scored(path, self._known, self.log, self.aliases) for path in self.settings.earlier_scores
        ]
        if not earlier and self.scored.snapshot is None:
            return ListedSegments(TIER, self.scored.tiers)
        return TierSegments([*earlier, self.scored])

    def _has(self, column: str) -> bool:
        return self.people is not None and self.people.has(column)

    def _inactivity(self) -> int:
        """Choose the inactivity window, and say where a scored list is of another, or of another day."""
        chosen, scored = self.settings.inactivity_days, self.scored
        of_list = scored.inactivity_days if scored else None
        if chosen and of_list and chosen != of_list:
            self.said.append(
                translated(
                    "Here a customer is active for {days:day|days} after a purchase (--inactivity-days), in the scored "
                    "list for {scored:,}: its stages, and whom it calls dormant, do not fit the counts of this report. "
                    "Without --inactivity-days the report takes those of the list.",
                    days=chosen,
                    scored=of_list,
                )
            )
        if scored and scored.snapshot and scored.snapshot != self.orders.last_day + timedelta(days=1):
            self.said.append(
                translated(
                    "The scored list is of {day:date}, and the log ends on {last:date}: what customers are expected to "
                    "bring is as of another day than what they have brought.",
                    day=scored.snapshot,
                    last=self.orders.last_day,
                )
            )
        return chosen or of_list or INACTIVITY_DAYS
