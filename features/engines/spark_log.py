"""The log contract on Spark: rows are read where they lie, and only counts come to the driver.

A sample of customers, the whole log if it is small, is validated on the driver as any log is: it settles which columns
are used, and the checks that look at many rows see it. Then every row of the log is read on the executors by the same
functions (`features.log.part`), and what can be known from the whole alone (one currency, a column that cannot be read
throughout, amounts with parts of a cent) is decided by the counts of all rows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from features.engines.spark import SparkEngine, failures
from features.errors import EmptyLogError, LogError
from features.language import translated
from features.log.amounts import running_cents
from features.log.columns import FIELDS
from features.log.customer_days import codes_of, encoded
from features.log.dates import local_now
from features.log.one_currency import the_currency
from features.log.part import AMOUNT, CELLS, CURRENCY, PART_OF_A_CENT, REASON, UNREADABLE, PartReader
from features.log.report import LogReport, fingerprint
from features.log.settings import Columns, LogRules
from features.log.transactions import TransactionLog
from features.log.validation import validate

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SAMPLE_ROWS = 200_000
"""Rows of a log that the driver validates as a whole; of a larger log, those of a sample of its customers."""

_RAW, _LINES, USED = "raw_rows", "log_lines", "transactions"
_OTHER_FORMS = (".csv", ".tsv", ".txt", ".gz", ".zip", ".zst", ".xlsx", ".xls", ".json", ".jsonl", ".ndjson")
_DATABASES = ("postgresql", "mysql", "mariadb", "sqlite", "mssql", "oracle", "snowflake", "bigquery")


@dataclass(frozen=True)
class SparkLog:
    """A validated log whose rows lie on Spark, in the engine's view ``transactions``.

    Parameters
    ----------
    engine : SparkEngine
    reader : PartReader
        How every row was read.
    sample : TransactionLog
        The customers that the driver validated, all of them where ``is_whole``.
    is_whole : bool
    rows_in, rows_used : int
    quarantined : dict of reason to number of rows
    first_day, last_day : datetime.date, of the used rows
    currency : str or None
    raw_names : tuple of str, the columns of the raw log
    """

    engine: SparkEngine
    reader: PartReader
    sample: TransactionLog
    is_whole: bool
    rows_in: int
    rows_used: int
    quarantined: dict[str, int]
    first_day: date
    last_day: date
    currency: str | None
    raw_names: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the used rows."""
        return self.reader.columns

    def quarantine(self) -> DataFrame:
        """Return the rows that are set aside: the reason, and the raw cells as text."""
        names = [f"{name} (log)" if name == REASON else name for name in self.raw_names]
        cells = ", ".join(f"{CELLS}[{place}] AS {_quoted(name)}" for place, name in enumerate(names))
        return self.engine.frame(f"SELECT {REASON}, {cells} FROM {_LINES} WHERE {REASON} IS NOT NULL")

    @cached_property
    def report(self) -> LogReport:
        """Counts and description of the used rows, made on the cluster once; identical rows are the raw log's."""
        found = self.engine.query(f"""SELECT count(DISTINCT customer_id) AS customers,
  count(DISTINCT CASE WHEN amount_cents >= 0 THEN customer_id END) AS buyers,
  count_if(amount_cents = 0) AS zeros, count_if(amount_cents < 0) AS refunds,
  CAST(sum(CAST(xxhash64({", ".join(self.columns)}) AS DECIMAL(38, 0))) AS STRING) AS mixed
FROM {USED}""").to_pylist()[0]
        distinct = self.engine.query(f"SELECT count(DISTINCT xxhash64(to_json(struct(*)))) AS n FROM {_RAW}")
        mixed = f"{','.join(self.columns)}:{self.rows_used}:{found['mixed']}"
        return LogReport(
            rows_in=self.rows_in,
            rows_used=self.rows_used,
            quarantined=self.quarantined,
            examples={},
            customers=found["customers"],
            first_day=self.first_day,
            last_day=self.last_day,
            identical_rows=self.rows_in - distinct["n"][0].as_py(),
            zero_amounts=found["zeros"],
            refunds=found["refunds"],
            refunds_only_customers=found["customers"] - found["buyers"],
            currency=self.currency,
            timezone=self.reader.rules.timezone,
            fingerprint=hashlib.sha256(mixed.encode()).hexdigest(),
        )

    def taken(self, customers: int, seed: int) -> TransactionLog:
        """Bring the rows of some customers to the driver, as a log that gives account of the whole one.

        They are those whom `TransactionLog.sample` draws of the same log. A log that the driver has validated whole, or
        of no more customers, is brought whole.
        """
        if self.is_whole:
            return self.sample.without_raw_rows()
        report = self.report
        contract = ", ".join(self.columns)
        drawn = (
            "" if report.customers <= customers else f"WHERE customer_id IN ({drawn_sql(customers, seed)})"
        )
        table = self.engine.query(f"SELECT {contract} FROM {USED} {drawn} ORDER BY {contract}")
        table = table.cast(pa.schema([self.reader.schema.field(name) for name in self.columns]))
        log = replace(self.sample.without_raw_rows(), table=table, currency=self.currency)
        if not drawn:
            report = replace(report, fingerprint=fingerprint(table))
        log.__dict__.update(report=report, first_day=self.first_day, last_day=self.last_day)
        return log

    def rows_before(self, day: date) -> int:
        """Count the used rows before a day."""
        found = self.engine.query(f"SELECT count(*) AS n FROM {USED} WHERE ordered_on < DATE '{day}'")
        return int(found["n"][0].as_py())


def drawn_sql(customers: int, seed: int) -> str:
    """Return the query of so many customers, drawn by a hash as `features.log.customer_days.drawn_rows` does."""
    return (
        f"SELECT customer_id FROM (SELECT DISTINCT customer_id FROM {USED}) "
        f"ORDER BY md5(concat('{seed}:', customer_id)), customer_id LIMIT {customers}"
    )


def open_spark_log(
    engine: SparkEngine, source: str, rules: LogRules, columns: Columns, *, now: datetime | None = None
) -> SparkLog:
    """Validate a log on Spark, and keep its used rows in the view ``transactions`` of the engine.

    Parameters
    ----------
    engine : SparkEngine
    source : str
        A folder or file of Parquet, by path or by a URI that the cluster reads, or a table of the catalogue, such as
        ``main.shop.orders`` or ``delta.`/mnt/orders```.
    rules : LogRules, columns : Columns
    now : datetime.datetime, optional, as in `features.log.validation.validate`

    Raises
    ------
    LogError
        As `validate` raises them, or if Spark cannot read the source.
    """
    raw = _read(engine, source)
    raw.createOrReplaceTempView(_RAW)
    with failures(f"SELECT * FROM {source}"):
        rows_in = raw.count()
    moment = local_now(now, rules.timezone)
    sample = validate(_sample(engine, rows_in, columns.customer_column), rules, columns, now=now)
    unasked = tuple(
        role for role in UNREADABLE if role in sample.names and FIELDS[role] not in columns.model_fields_set
    )
    reader = PartReader(dict(sample.names), rules, moment, unasked)
    reader, counts = _read_parts(engine, raw, reader)
    used = [each for each in counts if each[REASON] is None]
    quarantined: dict[str, int] = {}
    for each in counts:
        if each[REASON] is not None:
            quarantined[each[REASON]] = quarantined.get(each[REASON], 0) + each["rows"]
    _require_usable(rows_in, used, quarantined)
    currency = rules.currency
    if CURRENCY in reader.names and currency is None:
        words = list(dict.fromkeys(each[CURRENCY] for each in counts))
        found = {each[CURRENCY]: each["rows"] for each in used}
        currency = the_currency(found, words, reader.names[CURRENCY])
    _keep_used(engine, reader, rounded_alone=not any(each["parts"] for each in used))
    return SparkLog(
        engine,
        reader,
        sample,
        is_whole=rows_in <= SAMPLE_ROWS,
        rows_in=rows_in,
        rows_used=sum(each["rows"] for each in used),
        quarantined=quarantined,
        first_day=min(each["first_day"] for each in used),
        last_day=max(each["last_day"] for each in used),
        currency=currency,
        raw_names=tuple(raw.columns),
    )


def _read(engine: SparkEngine, source: str) -> DataFrame:
    lowered = source.lower()
    if "?query=" in source or lowered.startswith(_DATABASES) or lowered.endswith(_OTHER_FORMS):
        raise LogError(
            translated(
                "--engine spark reads Parquet and tables of Spark's catalogue, and {source} is neither.",
                source=source.partition("?")[0].rpartition("@")[2],
            ),
            translated("Save it as Parquet, make it a table, or use --engine duckdb."),
        )
    is_path = "`" not in source and ("/" in source or lowered.endswith(".parquet") or Path(source).exists())
    with failures(source):
        try:
            if not is_path:
                return engine.session.table(source)
            if (Path(source) / "_delta_log").is_dir():
                return engine.session.table(f"delta.`{Path(source).absolute()}`")
            place = source if ":/" in source else str(Path(source).absolute())
            return engine.session.read.parquet(place)
        except Exception as error:
            if type(error).__name__ not in ("AnalysisException", "ParseException"):
                raise
            said = re.split(r" (?:If you did not|SQLSTATE)", " ".join(str(error).split()))[0]
            raise LogError(
                translated("Spark cannot read the log {source}: {why}", source=source, why=said)
            ) from None


def _sample(engine: SparkEngine, rows: int, customer_column: str) -> pa.Table:
    """Bring a log of few rows, or the rows of a sample of its customers, to the driver."""
    if rows <= SAMPLE_ROWS:
        return engine.query(f"SELECT * FROM {_RAW}")
    names = engine.session.table(_RAW).columns
    if customer_column not in names:  # validation says which there are
        return engine.query(f"SELECT * FROM {_RAW} LIMIT 1000")
    # A row without a customer is drawn by itself. A customer with a large part of the log is cut off.
    key = f"coalesce(CAST({_quoted(customer_column)} AS STRING), to_json(struct(*)))"
    share = int(1_000_000 * SAMPLE_ROWS / rows)
    return engine.query(
        f"SELECT * FROM {_RAW} WHERE pmod(xxhash64({key}), 1000000) < {share} LIMIT {2 * SAMPLE_ROWS}"
    )


def _read_parts(
    engine: SparkEngine, raw: DataFrame, reader: PartReader
) -> tuple[PartReader, list[dict[str, Any]]]:
    """Read every row, and count; once more without a column that nobody asked for, if the whole cannot be read."""
    engine.keep(_LINES, raw.mapInArrow(_mapped(reader.read, reader.schema), spark_schema(reader.schema)))
    counts = engine.query(_counts_sql(reader)).to_pylist()
    total = sum(each["rows"] for each in counts)
    faulty = [
        role
        for role in reader.unasked
        if (n := sum(each[UNREADABLE[role]] for each in counts)) and (role == "margin" or 2 * n > total)
    ]
    if not faulty:
        return reader, counts
    names = {role: name for role, name in reader.names.items() if role not in faulty}
    unasked = tuple(role for role in reader.unasked if role not in faulty)
    return _read_parts(engine, raw, replace(reader, names=names, unasked=unasked))


def _counts_sql(reader: PartReader) -> str:
    of_currency = CURRENCY in reader.names and reader.rules.currency is None
    unreadable = "".join(
        f",\n  count_if({UNREADABLE[role]}) AS {UNREADABLE[role]}" for role in reader.unasked
    )
    return f"""SELECT {REASON}, {CURRENCY if of_currency else "NULL"} AS {CURRENCY}, count(*) AS rows,
  min(ordered_on) AS first_day, max(ordered_on) AS last_day, max(amount_cents) AS largest,
  count_if({PART_OF_A_CENT}) AS parts{unreadable}
FROM {_LINES}
GROUP BY 1, 2"""


def _require_usable(rows: int, used: list[dict[str, Any]], quarantined: dict[str, int]) -> None:
    if not used:
        counts = "; ".join(f"{count:,} {why}" for why, count in quarantined.items())
        raise EmptyLogError(
            translated("None of the log's {size:row|rows} can be used: {counts}.", size=rows, counts=counts)
        )
    if max(each["largest"] for each in used) < 0:
        raise LogError(
            translated(
                "All {num_rows:,} usable rows are refunds: their amounts are negative. If your log "
                "writes purchases as negative amounts, turn them: --amount-expression='-amount'.",
                num_rows=sum(each["rows"] for each in used),
            )
        )


def _keep_used(engine: SparkEngine, reader: PartReader, *, rounded_alone: bool) -> None:
    """Make the view of the used rows; amounts with parts of a cent are rounded customer by customer."""
    contract = ", ".join(reader.columns)
    if rounded_alone:
        used = engine.frame(f"SELECT {contract} FROM {_LINES} WHERE {REASON} IS NULL")
    else:
        rows = engine.frame(
            f"SELECT {contract}, {AMOUNT}, pmod(xxhash64(customer_id), {_groups(engine)}) AS customer_group "
            f"FROM {_LINES} WHERE {REASON} IS NULL"
        )
        schema = pa.schema([reader.schema.field(name) for name in reader.columns])
        used = rows.groupBy("customer_group").applyInArrow(_rounded(schema), spark_schema(schema))
    used.createOrReplaceTempView(USED)


def _groups(engine: SparkEngine) -> int:
    """Return how many groups of customers are rounded apart: each comes to one task as a whole."""
    return 8 * int(str(engine.session.conf.get("spark.sql.shuffle.partitions", "200")))


def _rounded(schema: pa.Schema) -> Callable[[pa.Table], pa.Table]:
    def rounded(rows: pa.Table) -> pa.Table:
        found = running_cents(
            codes_of(encoded(rows["customer_id"])), rows["ordered_on"], rows[AMOUNT].to_numpy()
        )
        place = schema.get_field_index("amount_cents")
        rows = rows.select(schema.names).cast(schema)
        return rows if found is None else rows.set_column(place, schema.field(place), pa.array(found))

    return rounded


def _mapped(
    read: Callable[[pa.Table], pa.Table], schema: pa.Schema
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def mapped(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                yield from read(pa.Table.from_batches([batch])).to_batches()

    return mapped


def spark_schema(schema: pa.Schema) -> str:
    """Write an Arrow schema as Spark does."""
    return ", ".join(f"{_quoted(field.name)} {_SPARK_TYPES[field.type]}" for field in schema)


_SPARK_TYPES = {
    pa.string(): "STRING",
    pa.list_(pa.string()): "ARRAY<STRING>",
    pa.date32(): "DATE",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
}


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
