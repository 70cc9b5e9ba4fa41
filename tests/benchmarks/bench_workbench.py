"""How long the workbench's pages take over many customers.

    python tests/benchmarks/bench_workbench.py [customers] [--store URI] [--orders]

Fills a store with a list (by default of 100,000 customers), begins ``stayworth workbench`` on it, and asks it for each
page over HTTP, one request at a time. Prints the median and the 95th percentile of the time from request to answer, and
the server's CPU, which does not depend on what else the machine does; and how long publishing such a list takes. The
sliders of a campaign's budget and holdout are moved over all of their range.

``--store`` is a store to fill, such as an empty database of PostgreSQL. ``--orders`` simulates a log of so many
customers, trains on one of 2,000, scores and publishes that, and gives it to the workbench: a customer's page with
orders, and the report.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from features.datasets.simulator import simulate_log
from serving.store.own_column import key_of
from serving.store.store import Store
from serving.workbench.drafting import STEPS
from training.model.score_schema import SCHEMA, SCORE_COLUMNS

STAYWORTH = str(Path(sys.executable).with_name("stayworth"))
TRACKING = ("--tracking-uri", "sqlite:///mlflow.db")
LOG = ("--transactions", "orders.parquet")
SHOP = {"r": 1.0, "alpha": 7.0, "b": 8.0, "start": date(2020, 1, 1), "weeks": 156, "acquisition_weeks": 100}
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


class Server:
    """A workbench, its process, and a browser's stand-in.

    Parameters
    ----------
    address : str
    process : int
    """

    def __init__(self, address: str, process: int) -> None:
        self.client = httpx.Client(base_url=address, timeout=600)
        self.process = process

    def cpu(self) -> float:
        """Return the seconds of CPU that the server has taken."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def seen(self, page: str) -> str:
        """Open a page."""
        answer = self.client.get(page, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, page: str, action: str = "", **fields: str) -> str:
        """Send the form of a page as somebody who types some fields; return the address that it leads to."""
        hidden = re.findall(r'name="(csrf|version|beside)" value="([^"]*)"', self.seen(page))
        answer = self.client.post(action or page, data=dict(hidden) | fields)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])


def measure(server: Server, name: str, addresses: Sequence[str]) -> None:
    """Print the milliseconds of a page, of one address or of several by turns."""
    times, before = [], server.cpu()
    for number in range(REQUESTS):
        started = time.perf_counter()
        server.seen(addresses[number % len(addresses)])
        times.append(1_000 * (time.perf_counter() - started))
    cpu = 1_000 * (server.cpu() - before) / REQUESTS
    print(f"{name:22} {np.median(times):9.1f} {np.quantile(times, 0.95):9.1f} {cpu:9.1f}", flush=True)


def wizard(server: Server, incentive: float) -> dict[str, Sequence[str]]:
    """Plan a campaign to all who are not dormant, begin another one; return its pages and the steps of the other.

    Sliders are at another place each time.
    """
    offer = {"offer_name": "voucher", "acceptance": "30"}
    offer |= {"incentive": str(incentive), "contact_cost": str(incentive / 10)}
    limits = {"budget": "20000", "holdout": "10"}
    for number, name in enumerate(("first", "second"), start=1):
        server.send("/campaigns/new", "/campaigns", name=name)
        server.send(f"/campaigns/{number}/offers", **offer)
        server.send(f"/campaigns/{number}/budget", **limits)
        if number == 1:
            started = time.perf_counter()
            server.send(f"/campaigns/{number}/preview", f"/campaigns/{number}/confirm")
            print(f"a campaign of all of them confirmed in {time.perf_counter() - started:.1f} s")
    started = time.perf_counter()
    opened = server.seen("/campaigns/2/budget")
    print(f"budgets of all of them opened for the first time in {time.perf_counter() - started:.1f} s")
    most = re.search(r'data-of="budget"[^>]* max="([\d.]+)"', opened)
    assert most
    print(f"there is {float(most[1]):,.0f} to spend")
    tried, end = "/campaigns/2/budget?starts_on=&hold_days=&standing=0", float(most[1])
    places = np.linspace(0, 1, REQUESTS + 1)[1:]
    return {
        **{f"wizard: {name}": [f"/campaigns/2/{name}"] for name in STEPS},
        "a budget moved": [f"{tried}&holdout=10&budget={place * end:.0f}" for place in places],
        "a holdout moved": [f"{tried}&budget={end / 2:.0f}&holdout={50 * place:.1f}" for place in places],
        "a planned campaign": ["/campaigns/1"],
        "its plan": ["/campaigns/1/plan"],
    }


def addresses(server: Server, customers: int) -> dict[str, Sequence[str]]:
    """Return the pages, and those that have a key in their address."""
    found = re.search(r'<th scope="row"><a href="(/customers/[\w-]+)">', server.seen("/customers"))
    assert found
    beginning = f"{customers // 2:08}"[:5]
    searched = server.send("/customers", "/customers/search", wanted=beginning)
    pages = PAGES | OWN_PAGES | {"one customer": found[1], "a search": searched}
    return {name: [address] for name, address in pages.items()}


def run(server: Server, customers: int, *, orders: bool) -> None:
    found = addresses(server, customers)
    if orders:
        started = time.perf_counter()
        while "in the making" in server.seen("/report"):
            time.sleep(1)
        print(f"the report of the log made in {time.perf_counter() - started:.0f} s, beside the requests")
        found["report"] = ["/report"]
    found |= wizard(server, incentive=1 if orders else 10)  # orders of the simulated shop are small ones
    print(f"{'page':22} {'median':>9} {'95%':>9} {'CPU':>9}, ms")
    for name, places in found.items():
        measure(server, name, places)
    print("load of the last 1, 5 and 15 minutes:", *(f"{each:.1f}" for each in os.getloadavg()))


@contextmanager
def served(store: str, folder: Path, *arguments: str) -> Iterator[Server]:
    """Serve a workbench while a block lasts."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [STAYWORTH, "workbench", "--port", str(port), "--store", store, *TRACKING, *arguments]
    with (folder / "said.txt").open("w") as said:
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said)
    try:
        server = Server(f"http://127.0.0.1:{port}", process.pid)
        while process.poll() is None:
            try:
                server.client.get("/")
                break
            except httpx.ConnectError:
                time.sleep(0.2)
        yield server
    finally:
        process.terminate()
        process.wait()


def publish(store: str, customers: int) -> None:
    """Publish a list of made-up scores, with own columns."""
    rows = scored(customers)
    with Store(store) as opened:
        started = time.perf_counter()
        opened.publish(rows)
        print(f"{customers:,} customers published in {time.perf_counter() - started:.1f} s")
        opened.customers.own.replace(own_cells(rows["customer_id"]), "bench")
        started = time.perf_counter()
        opened.publish(rows)
        print(f"again, with two own columns, in {time.perf_counter() - started:.1f} s")


def score(store: str, customers: int, folder: Path) -> None:
    """Simulate a log, and publish its scores by a model of a smaller one, with own columns."""
    for name, number in (("small", 2_000), ("orders", customers)):
        pq.write_table(simulate_log(number, **SHOP).transactions, folder / f"{name}.parquet")  # type: ignore[arg-type]
    orders = pq.read_metadata(folder / "orders.parquet").num_rows
    print(f"a log of {customers:,} customers and {orders:,} orders")
    common = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
    train = [STAYWORTH, "train", "--transactions", "small.parquet", "--horizon-days", "90", "--promote"]
    subprocess.run([*train, *TRACKING], **common)  # type: ignore[call-overload]
    with Store(store) as opened:
        opened.customers.prepare()
        ids = pd.Series(pq.read_table(folder / "orders.parquet")["customer_id"].unique().to_pylist())
        opened.customers.own.replace(own_cells(ids), "bench")
    publish = [STAYWORTH, "score", *LOG, "--publish", "--store", store, *TRACKING]
    subprocess.run(publish, **common)  # type: ignore[call-overload]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("customers", nargs="?", type=int, default=100_000)
    parser.add_argument("--store")
    parser.add_argument("--orders", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = asked.store or f"sqlite:///{folder}/store.db"
        if asked.orders:
            score(store, asked.customers, folder)
        else:
            publish(store, asked.customers)
        with served(store, folder, *(LOG if asked.orders else ())) as server:
            run(server, asked.customers, orders=asked.orders)


if __name__ == "__main__":
    main()
