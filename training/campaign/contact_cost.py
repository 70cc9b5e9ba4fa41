"""Cost of a campaign's contacts, per customer, and who took the incentive: measured where it is known, else assumed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from training.offers.offers import Floats, Offer


def paid_apart(offer: Offer) -> bool:
    """Tell whether the incentive is a cost that the log's amounts do not hold already."""
    return offer.has_incentive and not offer.incentive_in_amounts


def redemption(offer: Offer, customers: pd.DataFrame, outcomes: pd.DataFrame) -> tuple[float, float]:
    """Return ψ, and the share of contacted buyers who took the incentive, measured or assumed.

    Of the contacted, ``q₀ψ`` would have bought anyway and take it, and ``q₁ − q₀`` buy because of it.
    """
    mine = (customers["offer"] == offer.name).to_numpy()
    contacted = customers["contacted"].to_numpy()
    bought = outcomes["bought"].to_numpy()
    if not (mine & contacted).any() or not (mine & ~contacted).any():
        return offer.redemption_rate, offer.redemption_rate
    q1, q0 = float(bought[mine & contacted].mean()), float(bought[mine & ~contacted].mean())
    saved = max(q1 - q0, 0.0)
    psi = offer.redemption_rate
    if "redeemed" in outcomes and q0 > 0:
        taken = float(outcomes["redeemed"].to_numpy()[mine & contacted].mean())
        psi = min(max((taken - saved) / q0, 0.0), 1.0)
    return psi, min((psi * q0 + saved) / q1, 1.0) if q1 > 0 else psi


def contact_costs(
    offers: dict[str, Offer],
    rates: dict[str, tuple[float, float]],
    customers: pd.DataFrame,
    outcomes: pd.DataFrame,
) -> Floats:
    """Return what each customer's contact cost; nothing for the held out."""
    contacted = customers["contacted"].to_numpy()
    cost = np.zeros(len(customers))
    for name, offer in offers.items():
        mine = contacted & (customers["offer"] == name).to_numpy()
        cost[mine] = offer.contact_cost
        if paid_apart(offer):
            taken = outcomes["redeemed"] if "redeemed" in outcomes else rates[name][1] * outcomes["bought"]
            cost[mine] += (customers["incentive_cost"] * taken).to_numpy(dtype=np.float64)[mine]
    return cost
