"""What campaigns cost, as touches of customers: contacts and incentives of an offer, on the day the campaign began."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from features.economics.cost_table import UnitCost
from features.economics.touches import THOUSANDTHS, TOUCH_SCHEMA, Touches
from features.errors import StayworthError
from features.log.sources import read_table
from serving.campaign.ledger import campaigns_of, measured_of
from training.campaign.assignment import CONTACT_LIST
from training.campaign.record import PLAN, read_record

_EPOCH = date(1970, 1, 1)


def campaign_costs(
    folder: Path, known_until: date, aliases: Mapping[str, str]
) -> tuple[Touches, list[UnitCost]]:
    """Return the contacts of the campaigns in a folder that have begun, and what each costs.

    A contact of an offer costs the mean of those of its campaign: as measured, else as planned, incentive included. A
    campaign that cannot be read is left out; the ledger says so.

    Parameters
    ----------
    folder : Path, with campaigns as 'stayworth plan' wrote them
    known_until : date, the first day after the log
    aliases : mapping of other ids to customers

    Returns
    -------
    Touches
        ``CAMPAIGN: OFFER`` is the touchpoint.
    list of UnitCost
    """
    parts, units = [Touches.none().table], []
    for each in campaigns_of(folder):
        try:
            record, measured = read_record(each / PLAN), measured_of(each)
        except StayworthError:
            continue
        if record.starts_on >= known_until or not record.counts.contacted:
            continue
        listed = read_table(each / CONTACT_LIST)
        planned = listed["expected_cost"].astype(float)
        of_plan = record.expected.cost / record.counts.contacted
        real = of_plan if measured is None else measured.cost / record.counts.contacted
        for offer, own in planned.groupby(listed["offer"].astype(str)):
            name = f"{each.name}: {offer}"
            cost = float(own.mean()) * (real / of_plan if of_plan > 0 else 1.0)
            units.append(UnitCost(touchpoint=name, unit_cost=max(cost, 0.0)))
            ids = [aliases.get(who, who) for who in listed.loc[own.index, "customer_id"].astype(str)]
            parts.append(_touches(ids, record.starts_on, name))
    table = pa.concat_tables(parts)
    return Touches(table, np.ones(table.num_rows)), units


def _touches(customers: list[str], day: date, name: str) -> pa.Table:
    rows = pd.DataFrame({"customer_id": customers}).assign(
        day=(day - _EPOCH).days, touchpoint=name, quantity=THOUSANDTHS, responded=None, sentiment=None
    )
    return pa.Table.from_pandas(rows, schema=TOUCH_SCHEMA, preserve_index=False)
