"""Files beside the log stay where they surely gain, and are learnt from by the columns of the version."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.behaviour.attributes import Attributes
from features.behaviour.files import BehaviourFiles
from features.datasets.behaviour_world import simulate_behaviour
from features.datasets.worlds import simulate_world
from features.economics.touches import Touches
from features.log.validation import validate
from features.table.columns import rows_of
from features.table.seasons import NAMES as OF_SEASONS
from training.churn.calibration import Calibrator
from training.churn.file_choice import FileGain, InputsTrial, choose_files
from training.churn.inputs import CHURN_FEATURES, ORDERS_ALONE, Inputs
from training.churn.level import Level
from training.churn.model import fit_churn
from training.churn.procedure import run_procedure
from training.churn.recipe import Recipe
from training.model.reasons import load_wording, topic_sums, word_reasons
from training.pipeline import fit_options
from training.report.formats import files_in_words
from training.settings import TrainSettings
from training.snapshots.dataset import LabelledSnapshot
from training.training_data import prepare, tried_beside

NAMES = ("complaints_90d", "attribute_region")


@pytest.fixture(scope="module")
def informed(shop_rows: list[LabelledSnapshot]) -> list[LabelledSnapshot]:
    """The shop's snapshots, with complaints of half of those who churn, and a region that says nothing."""
    found = []
    for place, row in enumerate(shop_rows):
        rng = np.random.default_rng(place)
        n = len(row.table)
        complaints = np.where(row.churned & (rng.random(n) < 0.5), 1.0, 0.0)
        region = np.array(["north", "south", None], dtype=object)[rng.integers(0, 3, n)]
        columns = dict(zip(NAMES, (complaints, region), strict=True))
        table = row.table.drop(columns=list(OF_SEASONS))  # files alone
        found.append(replace(row, table=table.assign(**columns)))
    return found


def trial(inputs: Inputs, gain: float) -> InputsTrial[str]:
    """Losses of two validation snapshots: .5 with noise of .1 around it, lower by a gain."""
    noise = [np.random.default_rng(seed).normal(0.5, 0.1, 1_000) for seed in (1, 2)]
    other = [np.random.default_rng(seed).normal(0.0, 0.05, 1_000) for seed in (3, 4)]
    varied = other if inputs.beside else [np.zeros(1_000)] * 2
    return InputsTrial(
        inputs, [a + b - gain for a, b in zip(noise, varied, strict=True)], " ".join(inputs.beside)
    )


@pytest.mark.parametrize(
    ("gains", "kept"),
    [
        # A standard error of the mean gain is .05/√1000 = .0016; of two files each has to gain 1.96 of them, .0031.
        ({"complaints_90d": 0.010, "attribute_region": 0.001}, ("complaints_90d",)),
        ({"complaints_90d": 0.001, "attribute_region": 0.001}, ()),
        ({"complaints_90d": 0.010, "attribute_region": 0.012}, ("attribute_region",)),  # which say the same
    ],
)
def test_a_file_stays_if_it_surely_gains_beside_those_that_stay(
    informed: list[LabelledSnapshot], gains: dict[str, float], kept: tuple[str, ...]
) -> None:
    def tried(inputs: Inputs) -> InputsTrial[str]:
        return trial(inputs, max((gains[name] for name in inputs.beside), default=0.0))

    chosen, files = choose_files(tried(ORDERS_ALONE), informed, tried)

    assert chosen.inputs.beside == kept
    assert {name: gain.kept for name, gain in files.items()} == {
        "touchpoints": "complaints_90d" in kept,
        "attributes": "attribute_region" in kept,
    }
    assert files["touchpoints"].without - files["touchpoints"].alone == pytest.approx(
        gains["complaints_90d"], abs=0.005
    )


def test_a_file_that_gains_beside_another_only_stays_beside_it(informed: list[LabelledSnapshot]) -> None:
    gains = {(): 0.0, NAMES[:1]: 0.010, NAMES[1:]: 0.001, NAMES: 0.020}

    chosen, files = choose_files(
        trial(ORDERS_ALONE, 0.0), informed, lambda inputs: trial(inputs, gains[inputs.beside])
    )

    assert chosen.inputs.beside == NAMES
    assert files["attributes"].kept and files["attributes"].without - files["attributes"].alone < 0.003


def test_files_that_both_gain_stay_both(informed: list[LabelledSnapshot]) -> None:
    def tried(inputs: Inputs) -> InputsTrial[str]:
        return trial(inputs, 0.01 * len(inputs.beside))

    chosen, _ = choose_files(tried(ORDERS_ALONE), informed, tried)

    assert chosen.inputs.beside == NAMES
    assert chosen.inputs.categories == {"attribute_region": ("north", "south")}


def test_trees_that_learnt_from_files_take_what_is_lacking_as_missing(
    informed: list[LabelledSnapshot],
) -> None:
    # given: a model by orders, complaints and a region, and a category and a column that it did not learn from
    inputs = Inputs.learnt(NAMES, informed)
    options = {"rounds": 20, "monotone": False, "calibrator": Calibrator(), "seed": 0, "threads": 1}
    model = fit_churn(informed[:-1], level=Level(), inputs=inputs, **options)  # type: ignore[arg-type]
    columns = dict(informed[-1].columns)
    n = len(columns["frequency"])

    # when
    known = model.log_odds(columns)
    without = model.log_odds({name: columns[name] for name in columns if name not in NAMES})
    nothing = {"complaints_90d": np.full(n, np.nan), "attribute_region": np.full(n, None)}
    abroad = columns | {"complaints_90d": np.full(n, np.nan), "attribute_region": np.full(n, "abroad")}

    # then
    assert model.log_odds(columns | nothing) == pytest.approx(without)
    assert model.log_odds(abroad) == pytest.approx(without)
    complained = columns["complaints_90d"] > 0
    assert (known - without)[complained].mean() > 0.5
    parts = model.contributions(columns)
    assert parts.shape == (n, len(CHURN_FEATURES) + 2 + 3)
    assert parts.sum(axis=1) == pytest.approx(known)
    one = model.contributions(rows_of(columns, slice(1)))
    assert (one[0] == parts[0]).all()


def test_reasons_name_complaints_and_regions_and_stay_silent_on_what_is_not_known(
    informed: list[LabelledSnapshot],
) -> None:
    wording = load_wording(Inputs(NAMES, {"attribute_region": ("north", "south")}))
    names = Inputs(NAMES).contributions
    columns = rows_of(informed[-1].columns, slice(2))
    columns |= {"complaints_90d": np.array([2.0, 0.0]), "attribute_region": np.array(["south", None])}
    moves = np.zeros((2, len(names)))
    moves[:, names.index("complaints_90d")] = (0.9, -0.9)
    moves[:, names.index("attribute_region")] = 0.5

    told = word_reasons(topic_sums(moves, wording), np.full(2, 0.5), columns, wording)
    nothing = {name: columns[name] for name in columns if name not in NAMES}
    untold = word_reasons(topic_sums(moves, wording), np.full(2, 0.5), nothing, wording)

    assert told[0] == ["2 complaints in 90 days (risk up)", "region: south (risk up)"]
    assert told[1] == ["no complaint in 90 days (risk down)"]
    assert list(untold) == [[], []]


def test_a_recipe_with_files_is_read_as_it_was_written() -> None:
    inputs = Inputs(NAMES, {"attribute_region": ("north", "south")})
    files = {"touchpoints": FileGain(("complaints_90d",), without=0.5, alone=0.49, kept=True)}
    recipe = Recipe(
        3, False, Calibrator(), "forward in time", inputs=inputs, frequency_inputs=inputs, files=files
    )

    record = recipe.to_dict()

    assert "inputs" not in Recipe(3, False, Calibrator(), "forward in time").to_dict()
    assert Recipe.from_dict(record, Calibrator()) == recipe
    assert "trees on what it misses by orders and touchpoints, attributes" in recipe.in_words()


def test_what_each_file_bought_is_said_with_and_without_it() -> None:
    touches = FileGain(("complaints_90d",), without=0.4311, alone=0.4191, kept=True)
    regions = FileGain(("attribute_region",), without=0.4311, alone=0.4310, kept=False)
    often = FileGain(("complaints_90d",), without=0.7120, alone=0.7118, kept=False)
    price = FileGain(("complaints_90d",), without=5.5559, alone=5.5380, kept=True)
    recipe = Recipe(
        3,
        False,
        Calibrator(),
        "forward in time",
        files={"touchpoints": touches, "attributes": regions},
        frequency_files={"touchpoints": often},
        price_files={"touchpoints": price},
    )

    assert list(files_in_words(recipe)) == [
        "The file of touchpoints: log-loss of churn 0.4191 with it, 0.4311 without; deviance of frequency "
        "0.7118 and 0.7120; deviance of price 5.5380 and 5.5559: learnt from for churn and spend.",
        "The file of attributes: log-loss of churn 0.4310 with it, 0.4311 without: left out, as it gains no more than "
        "noise.",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "shuffled"), [(1, False), (4, False), (1, True)])
def test_complaints_and_a_region_are_found_where_they_tell_and_dropped_where_they_are_noise(
    tmp_path: Path, seed: int, shuffled: bool
) -> None:
    world = simulate_behaviour(
        n_customers=3_000, seed=seed
    )  # of seed 4 the region is seen beside the complaints only
    touches, attributes = world.shuffled(1) if shuffled else (world.touchpoints, world.attributes)
    touches.to_csv(tmp_path / "touchpoints.csv", index=False)
    attributes.to_csv(tmp_path / "attributes.csv", index=False)
    log = validate(world.transactions)
    files = BehaviourFiles(
        Touches.read(tmp_path / "touchpoints.csv"),
        attributes=Attributes.read(tmp_path / "attributes.csv"),
    )
    settings = TrainSettings(horizon_days=60, snapshots=6, threads=1)
    data = prepare(log, settings, lambda step, done, total: None, files)

    recipe = run_procedure(data.closed, fit_options(log, data.settings)).recipe

    gains = pd.Series({name: gain.without - gain.alone for name, gain in recipe.files.items()})
    if shuffled:
        assert recipe.used_files == ()
        assert gains.max() < 0.001
    else:
        assert recipe.inputs.files == ("touchpoints", "attributes")
        assert gains["touchpoints"] > 0.01 and gains["attributes"] > 0.003


@pytest.mark.slow
def test_discounts_before_leaving_are_found_and_products_at_random_are_dropped() -> None:
    # given: a world in which who leaves was lured by discounts in the last two months; else one order in ten has one
    world = simulate_world("stationary", n_customers=2_000, days_ahead=1, seed=1)
    orders = world.transactions.to_pandas()
    died = orders["customer_id"].map(world.truth.set_index("customer_id")["died_at"])
    rng = np.random.default_rng(1)
    lured = died - pd.to_datetime(orders["ordered_at"]) < pd.Timedelta(60, "D")
    reduced = rng.random(len(orders)) < np.where(lured, 0.9, 0.1)
    lines = orders.assign(
        discount=np.where(reduced, 5.0, 0.0), product_id=rng.integers(0, 50, len(orders)).astype(str)
    )
    log = validate(lines)
    settings = TrainSettings(horizon_days=60, snapshots=6, threads=1)
    data = prepare(log, settings, lambda step, done, total: None, tried_beside(log, None))

    recipe = run_procedure(data.closed, fit_options(log, data.settings)).recipe

    assert recipe.inputs.files == ("prices",)
    assert recipe.files["prices"].without - recipe.files["prices"].alone > 0.003
    assert next(files_in_words(recipe)).startswith(
        "What customers buy (products, categories, units): log-loss"
    )
