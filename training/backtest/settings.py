"""Settings of a backtest: the past snapshots to replay, and the offer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field, model_validator

from features.errors import StayworthError
from features.language import translated
from training.settings import RunSettings, TrainSettings

if TYPE_CHECKING:
    from training.offers.offers import Offer

_TERMS = ("contact_cost", "incentive_cost", "incentive_share", "acceptance_rate", "redemption_rate")
_TRAINING = ("horizon_days", *RunSettings.model_fields)


class BacktestSettings(RunSettings, section="backtest"):
    """The past snapshots to replay and the offer: the section ``[backtest]``.

    Examples
    --------
    >>> BacktestSettings(contact_cost=2).the_offer().incentive_share
    0.1
    """

    offers: Annotated[
        Path | None, typer.Option("--offers", help="The offers file; or give an offer's figures.")
    ] = None
    offer: Annotated[
        str | None, typer.Option("--offer", help="Which offer of the file, if it has several.")
    ] = None
    contact_cost: Annotated[
        float | None, typer.Option("--contact-cost", help="Cost of each contact.", show_default="1")
    ] = Field(default=None, ge=0, allow_inf_nan=False)
    incentive_cost: Annotated[
        float | None, typer.Option("--incentive-cost", help="Cost of the incentive, when it is taken.")
    ] = Field(default=None, ge=0, allow_inf_nan=False)
    incentive_share: Annotated[
        float | None,
        typer.Option(
            "--incentive-share",
            help="Instead: the incentive as a share of the customer's spend per purchase.",
            show_default="0.1",
        ),
    ] = Field(default=None, ge=0, le=1)
    acceptance_rate: Annotated[
        float | None,
        typer.Option(
            "--acceptance-rate",
            help="Share of would-be leavers who accept the offer and stay.",
            show_default="0.3",
        ),
    ] = Field(default=None, ge=0, le=1)
    redemption_rate: Annotated[
        float | None,
        typer.Option(
            "--redemption-rate",
            help="Share of customers who would stay anyway and take the incentive.",
            show_default="1",
        ),
    ] = Field(default=None, ge=0, le=1)
    snapshots: Annotated[
        int, typer.Option("--snapshots", help="How many of the newest closed snapshots, a month apart.")
    ] = Field(default=4, ge=1)
    everyone: Annotated[
        bool, typer.Option("--all", help="Also customers silent for longer than --dormant-after-days.")
    ] = False
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File for all profits with their intervals: .csv or .parquet."),
    ] = None
    horizon_days: Annotated[
        int | None,
        typer.Option(
            "--horizon-days",
            help="Days of silence after the snapshot that count as churn. By default as 'stayworth advise' says.",
        ),
    ] = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_offer(self) -> BacktestSettings:
        given = [name for name in _TERMS if getattr(self, name) is not None]
        if self.offers and given:
            raise ValueError(
                translated("give --offers or an offer's figures, not both: {names}", names=list(given))
            )
        if self.offer and not self.offers:
            raise ValueError(translated("--offer names one of a file's offers: give --offers offers.toml"))
        if self.incentive_cost is not None and self.incentive_share is not None:
            raise ValueError(
                translated("give --incentive-cost (money) or --incentive-share (of a purchase), not both")
            )
        return self

    def the_offer(self) -> Offer:
        """Return the offer to evaluate: that of the file, or the one of these figures.

        Raises
        ------
        OfferError
            If the file cannot be used.
        StayworthError
            If the file has several offers and none is named, or none of that name.
        """
        from training.offers.offer_files import read_offers
        from training.offers.offers import Offer

        if self.offers is None:
            given = {name: getattr(self, name) for name in _TERMS if getattr(self, name) is not None}
            if self.incentive_cost is None:
                given = {"incentive_share": 0.1} | given
            return Offer(**({"contact_cost": 1.0, "acceptance_rate": 0.3} | given))
        found = {offer.name: offer for offer in read_offers(self.offers)}
        if self.offer is None and len(found) > 1 or self.offer is not None and self.offer not in found:
            raise StayworthError(
                translated(
                    "{offers} has the offers {names}. Say which: --offer {first!r}",
                    offers=self.offers,
                    names=list(found),
                    first=next(iter(found)),
                )
            )
        offer = found[self.offer] if self.offer else next(iter(found.values()))
        if offer.limits:
            raise StayworthError(
                translated(
                    "The offer {name!r} is for some customers only ({names}), and a backtest makes it to all."
                    " Take its limits out.",
                    name=offer.name,
                    names=list(offer.limits),
                )
            )
        return offer

    def training(self) -> TrainSettings:
        """Return how the model of each snapshot is trained."""
        return TrainSettings(**{name: getattr(self, name) for name in _TRAINING})
