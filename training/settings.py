"""Settings of a training run: each field is a key of ``stayworth.toml``, a flag and its help text."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer
from pydantic import AfterValidator, Field, field_validator, model_validator

from features.customer_groups import TIER_SHARES, TIERS_OF, TierScheme
from features.economics.figure_checks import require_discount_rate
from features.language import Language, translated
from features.settings import Settings
from training.churn.budget import Budget
from training.clv import PurchaseModelName

if TYPE_CHECKING:
    from features.log.report import LogReport

DEFAULT_MARGIN = 0.3
DEFAULT_TRACKING_URI = "sqlite:///mlflow.db"


class RegistrySettings(Settings, section="registry"):
    """Where runs and models are kept, for every command: the section ``[registry]``.

    Examples
    --------
    >>> RegistrySettings.from_environment({"STAYWORTH_TRACKING_URI": "http://mlflow:5000"}).tracking_uri
    'http://mlflow:5000'
    """

    moved_here = {"tracking_uri": "tracking_uri"}

    tracking_uri: Annotated[
        str,
        typer.Option(
            "--tracking-uri",
            envvar="STAYWORTH_TRACKING_URI",
            help="MLflow's tracking store of runs and models: sqlite:///file.db, postgresql://user@host/database "
            "or a server's http://host:5000.",
        ),
    ] = DEFAULT_TRACKING_URI


class RunSettings(Settings):
    """What training and a backtest have in common."""

    value_horizon_days: Annotated[
        int, typer.Option("--value-horizon-days", help="Days ahead over which customers are valued.")
    ] = Field(default=365, ge=1)
    margin: Annotated[
        float | None,
        typer.Option(
            "--margin",
            help=f"Margin per unit of spend. By default from the log's margin column, else {DEFAULT_MARGIN}.",
        ),
    ] = Field(default=None, gt=0, le=1)
    discount_rate: Annotated[
        float,
        typer.Option(
            "--discount-rate",
            help="A year's discount: 0.15 is 15% a year. With --deflator a real rate, perhaps negative: "
            "(1 + nominal) / (1 + inflation) - 1.",
        ),
        AfterValidator(require_discount_rate),
    ] = Field(default=0.15, gt=-1)
    resumption: Annotated[
        float,
        typer.Option(
            "--resumption",
            help="Share of their old rate's value with which customers who had left go on, once an offer has brought "
            "them back: 0: they buy once, 1: as before. No log of orders shows it.",
        ),
    ] = Field(default=0.5, ge=0, le=1)
    dormant_after_days: Annotated[
        int | None,
        typer.Option(
            "--dormant-after-days",
            help="Customers silent for longer are no longer 'recent'. By default as advised or, with --horizon-days, "
            "two horizons, or more where many come back after those.",
        ),
    ] = Field(default=None, ge=1)
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random.")] = 0
    threads: Annotated[
        int | None,
        typer.Option("--threads", help="Threads to use. By default the CPUs this process may use."),
    ] = Field(default=None, ge=1)


ROWS_LEARNT_FROM = 225_000
"""Customers times snapshots from which the trees learn: what more would gain is far below noise (docs/training.md)."""


class TrainSettings(RunSettings, section="train"):
    """How models are trained and judged: the section ``[train]``.

    Examples
    --------
    >>> TrainSettings(horizon_days=60).dormancy_days
    120
    """

    horizon_days: Annotated[
        int | None,
        typer.Option(
            "--horizon-days",
            help="Days of silence after the snapshot that count as churn. By default as 'stayworth advise' says.",
        ),
    ] = Field(default=None, ge=1)
    clv_model: Annotated[
        PurchaseModelName,
        typer.Option("--clv-model", help="Model of purchases: BG/NBD, MBG/NBD or (slower) Pareto/NBD."),
    ] = "bgnbd"
    test_snapshot: Annotated[
        date | None,
        typer.Option(
            "--test-snapshot",
            help="Date at which the model is judged. By default the newest whose window has closed.",
        ),
    ] = None
    snapshots: Annotated[
        int, typer.Option("--snapshots", help="Monthly snapshots to learn from, at the most.")
    ] = Field(default=18, ge=1)
    sample_customers: Annotated[
        int | None,
        typer.Option(
            "--sample-customers",
            help="Of a log with more customers, learn from so many and judge on them, drawn by a hash of their ids. "
            f"The purchase and spend models that are deployed are fitted on all. By default {ROWS_LEARNT_FROM:,} over "
            "the number of monthly snapshots, where the log has more than twice as many customers.",
        ),
    ] = Field(default=None, ge=1_000)
    campaign: Annotated[
        list[Path],
        typer.Option(
            "--campaign",
            help="Folder of a past campaign, as 'stayworth plan' wrote it; repeat for more. Whom it contacted is not "
            "learnt from while its offer may be at work; its holdout is.",
        ),
    ] = Field(default_factory=list)
    tiers: Annotated[
        TierScheme,
        typer.Option(
            "--tiers",
            help="value: vip, medium and low, by expected value. bank: top, threshold, fence-sitter and lowest by "
            "gross value, and destroyer: whoever costs more than they bring.",
        ),
    ] = "value"
    tier_shares: Annotated[
        str | None,
        typer.Option(
            "--tier-shares",
            help="Per cent of the customers in each tier, the highest first. By default 20/50/30, of a bank "
            "11/22/39/28.",
        ),
    ] = None
    tune: Annotated[
        str | None,
        typer.Option(
            "--tune", help="Search LightGBM's parameters first: 50 for as many trials, 10m for ten minutes."
        ),
    ] = None
    language: Annotated[
        Language,
        typer.Option(
            "--language", help="Language of the model card and the version's notes: en, or fa for Persian."
        ),
    ] = "en"
    if_due: Annotated[
        bool,
        typer.Option("--if-due", help="Train only if 'stayworth monitor' finds the champion due for it."),
    ] = False
    promote: Annotated[
        bool,
        typer.Option(
            "--promote", help="Make the new version the champion, the one that scores, if it is better."
        ),
    ] = False
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="With --promote: whatever the result of the comparison with the champion."
        ),
    ] = False

    @model_validator(mode="after")
    def _force_is_about_promoting(self) -> Self:
        if self.force and not self.promote:
            raise ValueError(translated("--force only goes with --promote"))
        return self

    @field_validator("tier_shares")
    @classmethod
    def _are_shares(cls, text: str | None) -> str | None:
        if text is not None:
            _shares(text)
        return text

    @model_validator(mode="after")
    def _a_share_for_each_tier(self) -> Self:
        names, shares = TIERS_OF[self.tiers], self.shares_of_tiers
        if len(shares) != len(names):
            raise ValueError(
                translated(
                    "--tier-shares {given} has {n} shares; the tiers are {tiers}: {names}",
                    given=self.tier_shares,
                    n=len(shares),
                    tiers=len(names),
                    names=list(names),
                )
            )
        return self

    @field_validator("tune")
    @classmethod
    def _is_a_budget(cls, text: str | None) -> str | None:
        if text is not None:
            Budget.parse(text)
        return text

    def advised(self, horizon_days: int, dormant_after_days: int) -> Self:
        """Return the settings with the horizon and dormancy advised for the log, where they were not given."""
        dormancy = self.dormant_after_days or dormant_after_days
        return self.model_copy(update={"horizon_days": horizon_days, "dormant_after_days": dormancy})

    def customers_learnt_from(self, log: LogReport) -> int:
        """Return the number of customers to learn from: as given, or by the log's length.

        A log of at most twice as many is learnt from as a whole: a sample would save little.

        Examples
        --------
        >>> from types import SimpleNamespace
        >>> large, small = (
        ...     SimpleNamespace(first_day=date(2020, 1, 1), last_day=date(2022, 12, 31), customers=customers)
        ...     for customers in (1_000_000, 25_000)
        ... )
        >>> settings = TrainSettings()
        >>> settings.customers_learnt_from(large), settings.customers_learnt_from(small)
        (12500, 25000)
        >>> TrainSettings(snapshots=3).customers_learnt_from(large)
        75000
        """
        if self.sample_customers:
            return self.sample_customers
        months = max(1, (log.last_day - log.first_day).days // 30)
        enough = max(1_000, ROWS_LEARNT_FROM // min(self.snapshots, months))
        return enough if log.customers > 2 * enough else log.customers

    @property
    def shares_of_tiers(self) -> tuple[float, ...]:
        """Per cent of the customers in each tier, the highest first."""
        return _shares(self.tier_shares) if self.tier_shares else TIER_SHARES[self.tiers]

    @property
    def horizon(self) -> int:
        """Days of the churn window; a ValueError until it was given or advised."""
        if self.horizon_days is None:
            raise ValueError("the horizon is not chosen yet")
        return self.horizon_days

    @property
    def dormancy_days(self) -> int:
        """Days after which a customer is dormant: as given or advised, or two horizons."""
        return self.dormant_after_days or 2 * self.horizon


def _shares(text: str) -> tuple[float, ...]:
    """Read shares in per cent, which add up to 100.

    Examples
    --------
    >>> _shares("20/50/30")
    (20.0, 50.0, 30.0)
    """
    try:
        shares = tuple(float(part) for part in text.split("/"))
    except ValueError:
        shares = ()
    if not shares or not all(share > 0 for share in shares) or not math.isclose(sum(shares), 100):
        raise ValueError(
            translated("{given!r} are no shares that add up to 100. Write them as 20/50/30", given=text)
        )
    return shares
