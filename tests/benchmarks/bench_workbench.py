"""How long the workbench's pages take over many customers: ``python tests/benchmarks/bench_workbench.py 1000000``.

Prints, for each page, the median and the 95th percentile of the time from request to answer, one request at a time;
and how long publishing such a list takes, with what the pages need of it. A second word is the URI of a store to fill,
such as an empty database of PostgreSQL.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import time
from datetime import date, timedelta
from typing import Any

import httpx
import numpy as np
import pandas as pd

from serving.store.own_columns import key_of
from serving.store.store import Store
from serving.workbench.application import application
from serving.workbench.drafting import STEPS
from serving.workbench.sealing import Sealer
from serving.workbench.versions import KnownVersions
from serving.workbench.visit import Sources
from training.model.score_schema import SCHEMA, SCORE_COLUMNS
from training.versions.registry import Registry

REQUESTS = 60
SNAPSHOT = date(2026, 7, 1)
PAGES = {
    "overview": "/",
    "campaigns": "/campaigns",
    "models": "/models",
    "customers": "/customers",
    "all, by value": "/customers?dormant=1&by=expected_value",
    "by last purchase": "/customers?by=last_purchase_date",
    "one tier and stage": "/customers?tier=low&stage=loyal&band=unlikely",
    "few of many": "/customers?dormant=1&tier=vip&stage=first-time&band=unlikely&up=1&by=churn_probability",
    "nobody": "/customers?dormant=1&tier=destroyer",
    "in the middle": "/customers?dormant=1&beyond=500000",
    "the last page": "/customers?dormant=1&up=1",
    "audit": "/audit",
}
OWN_PAGES = {
    "by an own column": "/customers?by=own:age&column=own:age",
    "deep in its order": "/customers?by=own:age&column=own:age&beyond=400000",
    "of an own value": f"/customers?own={key_of('city', 'Yazd')}",
}


def scored(customers: int) -> pd.DataFrame:
    """Return a list whose kinds are not independent of value, as in a real one."""
    draw = np.random.default_rng(1)
    rows = pd.DataFrame({"customer_id": [f"{number:08}" for number in range(customers)]})
    for column in SCHEMA.values():
        if column.type is float:
            rows[column.name] = 0.3 if column.per_list else draw.gamma(0.5, 100, customers)
    rows["churn_probability"] = draw.beta(3, 1.5, customers)
    rows["snapshot_date"] = SNAPSHOT
    rows["value_tier"] = np.where(
        rows["expected_value"] > 100, "vip", np.where(draw.random(customers) < 0.6, "medium", "low")
    )
    rows["stage"] = draw.choice(
        ["lapsed", "lapsing", "first-time", "repeat", "loyal"], customers, p=[0.5, 0.1, 0.2, 0.15, 0.05]
    )
    days = np.array([SNAPSHOT - timedelta(days=number) for number in range(1, 1_000)], dtype=object)
    rows["last_purchase_date"] = days[draw.integers(0, len(days), customers)]
    for name in ("next_purchase_date", "next_purchase_low", "next_purchase_high"):
        rows[name] = SNAPSHOT + timedelta(days=30)
    reasons = [
        "silent for 15 weeks, usually buys every 4 weeks (risk up)",
        "13 purchases in 15 months (risk down)",
    ]
    rows["reasons"] = [reasons] * customers
    rows["model_version"], rows["horizon_days"] = "1", 90
    rows["dormant_after_days"], rows["inactivity_days"] = 180, 120
    rows["margin"] = 0.3
    return rows[list(SCORE_COLUMNS)]


def own_cells(ids: pd.Series) -> pd.DataFrame:
    """Return a city and an age for each customer."""
    draw = np.random.default_rng(2)
    cities = draw.choice(["Yazd", "Shiraz", "Qom", "Ahvaz"], len(ids), p=[0.05, 0.25, 0.3, 0.4])
    return pd.DataFrame({"city": cities, "age": draw.integers(18, 90, len(ids))}, index=list(ids))


async def measured(client: httpx.AsyncClient, address: str) -> list[float]:
    """Return the seconds of each request; a slider is at another place each time."""
    times = []
    for number in range(REQUESTS):
        started = time.perf_counter()
        answer = await client.get(
            address.format(place=number + 1, share=1 + number / 2), follow_redirects=True
        )
        times.append(time.perf_counter() - started)
        assert answer.status_code == 200, answer.text
    return times


async def send(client: httpx.AsyncClient, page: str, action: str = "", **fields: str) -> str:
    """Send the form of a page as somebody who types some fields; return the address that it leads to."""
    text = (await client.get(page)).text
    hidden = {
        name: found for name, found in re.findall(r'name="(csrf|version|beside)" value="([^"]*)"', text)
    }
    answer = await client.post(action or page, data=hidden | fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def wizard(client: httpx.AsyncClient) -> dict[str, str]:
    """Plan a campaign to all who are not dormant, begin another one; return its pages and the steps of the other."""
    offer = {"offer_name": "voucher", "incentive": "10", "acceptance": "30", "contact_cost": "1"}
    limits = {"budget": "20000", "holdout": "10"}
    for number, name in enumerate(("first", "second"), start=1):
        await send(client, "/campaigns/new", "/campaigns", name=name)
        await send(client, f"/campaigns/{number}/offers", **offer)
        await send(client, f"/campaigns/{number}/budget", **limits)
        if number == 1:
            started = time.perf_counter()
            await send(client, f"/campaigns/{number}/preview", f"/campaigns/{number}/confirm")
            print(f"a campaign of all of them confirmed in {time.perf_counter() - started:.1f} s")
    started = time.perf_counter()
    await client.get("/campaigns/2/budget")
    print(f"budgets of all of them opened for the first time in {time.perf_counter() - started:.1f} s")
    tried = "/campaigns/2/budget?starts_on=&hold_days=&standing=0"
    return {
        **{f"wizard: {name}": f"/campaigns/2/{name}" for name in STEPS},
        "a budget moved": f"{tried}&holdout=10&budget={{place}}000",
        "a holdout moved": f"{tried}&budget=20000&holdout={{share}}",
        "a planned campaign": "/campaigns/1",
        "its plan": "/campaigns/1/plan",
    }


async def addresses(client: httpx.AsyncClient, customers: int) -> dict[str, str]:
    """Return the pages, and those that have a key in their address."""
    page = (await client.get("/customers")).text
    found = re.search(r'<th scope="row"><a href="(/customers/[\w-]+)">', page)
    assert found
    beginning = f"{customers // 2:08}"[:5]
    searched = await send(client, "/customers", "/customers/search", wanted=beginning)
    return PAGES | OWN_PAGES | {"one customer": found[1], "a search": searched} | await wizard(client)


async def run(app: Any, customers: int) -> list[tuple[str, float, float]]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        found = await addresses(client, customers)
        results = []
        for name, address in found.items():
            times = np.array(await measured(client, address)) * 1_000
            results.append((name, float(np.median(times)), float(np.quantile(times, 0.95))))
        return results


def main(customers: int, uri: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder, Store(uri or f"sqlite:///{folder}/store.db") as store:
        rows = scored(customers)
        started = time.perf_counter()
        store.publish(rows)
        print(f"{customers:,} customers published in {time.perf_counter() - started:.1f} s")
        store.customers.own.replace(own_cells(rows["customer_id"]), "bench")
        started = time.perf_counter()
        store.publish(rows)
        print(f"again, with two own columns, in {time.perf_counter() - started:.1f} s")
        secret = store.customers.prepare()
        sources = Sources(store, KnownVersions(Registry(f"sqlite:///{folder}/none.db")), Sealer(secret))
        app = application(sources, secret, loopback=True)
        print(f"{'page':20} {'median':>9} {'95%':>9}, ms")
        for name, middle, high in asyncio.run(run(app, customers)):
            print(f"{name:20} {middle:9.1f} {high:9.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, *sys.argv[2:3])
