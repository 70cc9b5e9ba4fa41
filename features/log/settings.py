"""Settings of the transaction log: each field is a key of ``stayworth.toml``, a flag and its help text.

Two sections. ``[columns]`` (:class:`Columns`) says what the log calls the columns of the contract,
``[log]`` (:class:`LogSettings`) where the log is and how its rows are judged. Validation reads
:class:`LogRules`, which is ``LogSettings`` without the place: rows that come over HTTP have none.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer
from pydantic import Field, field_validator, model_validator

from features.jalali import gregorian
from features.log.date_formats import completed
from features.log.number_style import NumberStyle
from features.memory import bytes_of
from features.settings import Settings


class Columns(Settings, section="columns"):
    """What the log calls the columns of the contract; the last eight are optional in a log.

    Examples
    --------
    >>> Columns(customer_column="Customer ID").customer_column, Columns().date_column
    ('Customer ID', 'ordered_at')
    """

    customer_column: Annotated[str, typer.Option("--customer-column", help="Column of customer ids.")] = (
        "customer_id"
    )
    date_column: Annotated[str, typer.Option("--date-column", help="Column of order dates or times.")] = (
        "ordered_at"
    )
    amount_column: Annotated[
        str, typer.Option("--amount-column", help="Column of amounts; a negative amount is a refund.")
    ] = "amount"
    order_column: Annotated[str, typer.Option("--order-column", help="Column of order ids, if any.")] = (
        "order_id"
    )
    margin_column: Annotated[str, typer.Option("--margin-column", help="Column of margins, if any.")] = (
        "margin"
    )
    currency_column: Annotated[
        str, typer.Option("--currency-column", help="Column of currency codes, if any.")
    ] = "currency"
    channel_column: Annotated[
        str, typer.Option("--channel-column", help="Column of sales channels, if any.")
    ] = "channel"
    product_column: Annotated[
        str, typer.Option("--product-column", help="Column of product ids, if any.")
    ] = "product_id"
    quantity_column: Annotated[
        str, typer.Option("--quantity-column", help="Column of quantities, if any.")
    ] = "quantity"
    category_column: Annotated[
        str, typer.Option("--category-column", help="Column of product categories, if any.")
    ] = "category"
    discount_column: Annotated[
        str,
        typer.Option(
            "--discount-column", help="Column of discounts, if any: money by which the amount was reduced."
        ),
    ] = "discount"

    @staticmethod
    def flag(field: str) -> str:
        """Return the command-line flag of a field.

        Examples
        --------
        >>> Columns.flag("customer_column")
        '--customer-column'
        """
        return "--" + field.replace("_", "-")


class LogRules(Settings):
    """How the rows of a log are read and judged.

    Examples
    --------
    >>> LogRules(timezone="Europe/Berlin", date_format="%d/%m/%Y").drop_identical
    False
    """

    amount_expression: Annotated[
        str | None,
        typer.Option(
            "--amount-expression",
            help="Amount as a formula over the log's columns, such as 'Quantity * Price': + - * / and "
            "parentheses, coalesce(a, b), CASE WHEN kind = 'refund' THEN -a ELSE a END; a column name with spaces "
            "in double quotes.",
        ),
    ] = None
    currency: Annotated[
        str | None,
        typer.Option("--currency", help="Currency to use, such as EUR; rows in others are quarantined."),
    ] = None
    timezone: Annotated[
        str,
        typer.Option(
            "--timezone",
            help="Time zone that decides the day of an order, such as Europe/Berlin. Times without an offset "
            "are taken to be in it.",
        ),
    ] = "UTC"
    date_format: Annotated[
        str | None,
        typer.Option(
            "--date-format",
            help="How dates are written, such as '%d/%m/%Y %H:%M'; epoch, epoch-ms, -us, -ns or excel for numbers. "
            "Without it, iso: 2011-01-31 or 2011-01-31 12:30:00. Several in one column: 'iso|%d/%m/%Y'. Day and month "
            "are never guessed.",
        ),
    ] = None
    calendar: Annotated[
        Literal["gregorian", "jalali"],
        typer.Option(
            "--log-calendar", help="Calendar of dates written as text: gregorian, or jalali (1402/01/31)."
        ),
    ] = "gregorian"
    earliest: Annotated[
        date | None,
        typer.Option(
            "--earliest", help="Set aside rows before this date, such as placeholders of the year 1900."
        ),
    ] = None
    decimal: Annotated[
        Literal[".", ","] | None,
        typer.Option(
            "--decimal", help="Decimal mark of amounts, a point or a comma.", show_default="a point"
        ),
    ] = None
    thousands: Annotated[
        Literal[".", ",", " ", "'"] | None,
        typer.Option(
            "--thousands", help="Mark between groups of three digits in amounts.", show_default="none"
        ),
    ] = None
    accounting: Annotated[
        bool,
        typer.Option(
            "--accounting",
            help="Read amounts such as (28.64), 28.64- and $ 28.64: negative, negative, plain.",
        ),
    ] = False
    blank_is_zero: Annotated[
        bool, typer.Option("--blank-is-zero", help="An empty cell of an amount or of its formula means 0.")
    ] = False
    amount_per_order: Annotated[
        bool,
        typer.Option(
            "--amount-per-order",
            help="The amount is the order's total, written on each of its lines: use it once for "
            "equal order id, customer, day and amount.",
        ),
    ] = False
    fold_ids: Annotated[
        bool,
        typer.Option(
            "--fold-ids",
            help="Unite customer ids that differ only in case, width, spaces, invisible characters, .0, or "
            "Arabic and Persian forms of a letter.",
        ),
    ] = False
    ignore_column: Annotated[
        list[str],
        typer.Option("--ignore-column", help="Leave out an optional column of the log; repeat for more."),
    ] = Field(default_factory=list)
    drop_identical: Annotated[
        bool,
        typer.Option("--drop-identical", help="Use one of several identical rows, instead of all."),
    ] = False
    acquired_after: Annotated[
        date | None,
        typer.Option(
            "--acquired-after",
            help="Leave out customers whose first order is earlier than this date, for a log that begins in "
            "the middle of the business's life.",
        ),
    ] = None
    quarantine: Annotated[
        Path | None,
        typer.Option("--quarantine", help="File for the rows that can't be used, with the reason of each."),
    ] = None

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        try:
            if name != "UTC":  # "UTC" has to work where no time zone database is installed
                ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(
                f"there is no time zone {name!r} on this machine; write it as Europe/Berlin or UTC"
            ) from None
        return name

    @field_validator("date_format")
    @classmethod
    def _complete_format(cls, text: str | None) -> str | None:
        return None if text is None else "|".join(map(completed, text.split("|")))

    @field_validator("date_format")
    @classmethod
    def _twelve_hours(cls, text: str | None) -> str | None:
        for each in (text or "").split("|"):
            if "%p" in each and "%I" not in each:
                raise ValueError(
                    f"{each!r} has %p, AM or PM, which goes with %I, hours from 1 to 12, and not with %H"
                )
        return text

    @model_validator(mode="after")
    def _different_marks(self) -> LogRules:
        if self.thousands is not None and self.number_style.decimal == self.thousands:
            raise ValueError("--decimal and --thousands name the same mark")
        return self

    @model_validator(mode="after")
    def _gregorian_days(self) -> LogRules:
        """Refuse a day that is one of the log's calendar: flags are Gregorian, and 1402 would exclude nothing."""
        for name in ("earliest", "acquired_after"):
            day = getattr(self, name, None)
            if self.calendar == "jalali" and day and day.year < 1600:
                meant = gregorian(day.year, day.month, day.day)
                raise ValueError(
                    f"--{name.replace('_', '-')} {day} is a day of the Gregorian calendar, as all flags are; write "
                    f"{meant or 'it as such'}"
                )
        return self

    @property
    def number_style(self) -> NumberStyle:
        """How amounts and margins are written."""
        decimal = self.decimal or ("," if self.thousands == "." else ".")
        return NumberStyle(decimal, self.thousands or "", self.accounting, self.blank_is_zero)

    @field_validator("currency")
    @classmethod
    def _same_case(cls, code: str | None) -> str | None:
        return None if code is None else code.strip().upper()


class LogSettings(LogRules, section="log"):
    """Where the log is, and how its rows are read and judged: the section ``[log]``.

    Examples
    --------
    >>> LogSettings(transactions="orders.csv").transactions
    'orders.csv'
    """

    moved_here = {"deflator": "deflator"}

    transactions: Annotated[
        str,
        typer.Option(
            "--transactions",
            help="The log of orders: a CSV, Excel, JSON-lines or Parquet file, a folder of CSV or Parquet files, "
            "or a table by URI, such as postgresql://host/shop?table=orders.",
        ),
    ] = Field(min_length=1)
    preset: Annotated[
        Literal["shopify", "woocommerce", "stripe", "olist"] | None,
        typer.Option(
            "--preset",
            help="Columns, amount and condition of an export of Shopify (orders), WooCommerce (orders), Stripe "
            "(payments) or Olist (orders joined with customers and payments); other flags override it.",
        ),
    ] = None
    encoding: Annotated[
        str | None,
        typer.Option("--encoding", help="Encoding of a CSV, such as cp1252.", show_default="UTF-8, UTF-16"),
    ] = None
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            help="Use only the rows for which this SQL condition over the log's columns holds, such as "
            "\"status = 'paid'\".",
        ),
    ] = None
    identities: Annotated[
        Path | None,
        typer.Option(
            "--identities", help="Several ids of one customer, united first: alias_id, customer_id."
        ),
    ] = None
    deflator: Annotated[
        Path | None,
        typer.Option(
            "--deflator",
            help="Index of prices, for real money, that of the log's last month: month, index. A version keeps its "
            "month, and what it scores is in that money.",
        ),
    ] = None
    memory_limit: Annotated[
        str | None,
        typer.Option(
            "--memory-limit",
            help="Memory to stay within, such as 8GB, as long as the log itself does: what the database engine has "
            "no room for goes to --temp-dir.",
            show_default="60% of the machine's, or of its container's",
        ),
    ] = None
    temp_dir: Annotated[
        Path | None,
        typer.Option(
            "--temp-dir",
            help="Folder for what exceeds the memory; emptied at the end.",
            show_default="the system's folder of temporary files",
        ),
    ] = None
    parts: Annotated[
        Path | None,
        typer.Option(
            "--parts",
            help="Folder of rows read before, for exports of new orders alone: those of --transactions are added and "
            "kept there; they replace what had the same file name, or came from the same query.",
        ),
    ] = None
    accept: Annotated[
        list[str],
        typer.Option("--accept", help="Accept a finding about the log, by its name; repeat for more."),
    ] = Field(default_factory=list)
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop, with exit code 3, at every finding not accepted.")
    ] = False

    @field_validator("where")
    @classmethod
    def _condition(cls, text: str | None) -> str | None:
        if text is not None and not text.strip():
            raise ValueError("it is empty; write a condition, such as \"status = 'paid'\", or leave it out")
        return text

    @field_validator("memory_limit")
    @classmethod
    def _amount(cls, text: str | None) -> str | None:
        if text is not None:
            bytes_of(text)
        return text
