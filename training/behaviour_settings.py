"""Settings of files beside the log that models may learn from: the section ``[behaviour]``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field, field_validator

from features.language import translated
from features.log.settings import LogRules, LogSettings
from features.settings import Settings
from training.cost_settings import CostSettings

if TYPE_CHECKING:
    from features.behaviour.files import BehaviourFiles
    from features.economics.trailing import CostFiles


class BehaviourSettings(Settings, section="behaviour"):
    """What is known of customers beside orders, touches and invoices; those are in `CostSettings`.

    Examples
    --------
    >>> BehaviourSettings().files(CostSettings()) is None
    True
    """

    surveys: Annotated[
        Path | None,
        typer.Option(
            "--surveys",
            help="Answers of customers, that models may learn from: customer_id, answered_at, kind (nps, csat), score.",
        ),
    ] = None
    attributes: Annotated[
        Path | None,
        typer.Option(
            "--attributes",
            help="Attributes of customers, that models may learn from: customer_id, columns such as region and plan, "
            "valid_from where they change.",
        ),
    ] = None

    def files(
        self, costs: CostSettings, rules: LogRules | None = None, read: CostFiles | None = None
    ) -> BehaviourFiles | None:
        """Read the files of what is known of customers beside their orders; None if there is none.

        Parameters
        ----------
        costs : CostSettings, whose touches and invoices are behaviour too
        rules : LogRules, how the log's ids, dates and numbers are written; by default plainly
        read : CostFiles, optional, what was read of them before

        Raises
        ------
        StayworthError
            If a file cannot be read or used.
        """
        if not (self.surveys or self.attributes or costs.touchpoints or costs.receivables):
            return None
        from features.behaviour.attributes import Attributes
        from features.behaviour.files import BehaviourFiles
        from features.economics.cost_table import CostTable
        from features.economics.identities import aliases_of
        from features.economics.optional_files import PLAIN_RULES
        from features.economics.receivables import Receivables
        from features.economics.surveys import Surveys
        from features.economics.touches import Touches

        rules = rules or PLAIN_RULES
        aliases = aliases_of(rules) if isinstance(rules, LogSettings) else {}
        table = read.table if read else CostTable.read(costs.file) if costs.file else CostTable()
        touches = read.touches if read and read.touches.names else None
        if touches is None and costs.touchpoints:
            touches = Touches.read(costs.touchpoints, rules, aliases)
        receivables = read.receivables if read else None
        if receivables is None and costs.receivables:
            receivables = Receivables.read(costs.receivables, rules, aliases)
        return BehaviourFiles(
            touches,
            Surveys.read(self.surveys, rules, aliases) if self.surveys else None,
            receivables,
            Attributes.read(self.attributes, rules, aliases) if self.attributes else None,
            {unit.touchpoint: unit.kind for unit in table.units},
        )


class OwnFeatureSettings(Settings, section="features"):
    """Features that a shop writes itself, in SQL over purchase days: the section ``[features.own]``."""

    own: dict[str, str] = Field(
        default_factory=dict,
        description="Own features, which models learn from where they win: names, and SQL aggregates over a customer's "
        'purchase days, such as weekend_share = "avg(CASE WHEN dayofweek(day) IN (0, 6) THEN 1 ELSE 0 END)" under '
        "[features.own]",
    )

    @field_validator("own", mode="before")
    @classmethod
    def _is_a_table(cls, own: object) -> object:
        if not (isinstance(own, dict) and all(isinstance(each, str) for each in own.values())):
            raise ValueError(
                translated(
                    "write each feature as a name and an expression in quotes under [features.own], such as "
                    "weekend_share = 'avg(…)'"
                )
            )
        return own

    def added(self, beside: BehaviourFiles | None) -> BehaviourFiles | None:
        """Return what is known beside orders with the own features to try; None if there is neither.

        Raises
        ------
        StayworthError
            If one may not be a feature.
        """
        if not self.own:
            return beside
        from features.behaviour.files import BehaviourFiles
        from features.table.own import require_own

        require_own(self.own)
        return (beside or BehaviourFiles()).with_own(self.own)
