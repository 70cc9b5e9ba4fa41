"""Acceptance of an offer by customers in one band of silence, as past campaigns taught it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

HARM_IS_LIKELY = 0.8
"""Probability of a negative effect from which on an offer is taken to drive customers away."""

_Finite = Annotated[float, Field(allow_inf_nan=False)]


class AcceptanceBand(BaseModel):
    """What is known of the acceptance of customers who have been silent for ``from_days`` days, up to the next band.

    Acceptance is the effect on the share who stay, of those who would leave: ``(q₁ − q₀)/(1 − q₀)``. It is negative
    where contact drives customers away.

    Parameters
    ----------
    from_days : float, days of silence from which on a customer is in the band
    mean, deviation : float, of the posterior; the bands are pooled
    probability_negative : float in [0, 1], of the posterior
    evidence_mean, evidence_weight : float, what the measured campaigns say of this band alone, before pooling: an
        estimate, and one over its variance; the weight is 0 where no campaign reached the band
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_days: _Finite = Field(ge=0)
    mean: _Finite = Field(le=1)
    deviation: _Finite = Field(gt=0)
    probability_negative: _Finite = Field(ge=0, le=1)
    evidence_mean: _Finite = 0.0
    evidence_weight: _Finite = Field(default=0.0, ge=0)

    @property
    def harmful(self) -> bool:
        """Whether contact probably drives these customers away."""
        return self.probability_negative > HARM_IS_LIKELY

    def shifted(self, deviations: float) -> AcceptanceBand:
        """Return the band with its mean moved by so many standard deviations."""
        return self.model_copy(update={"mean": min(self.mean + deviations * self.deviation, 1.0)})
