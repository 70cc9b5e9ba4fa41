"""Presets: how the exports of shops and payment services name their columns, and which of their rows are sales.

A preset fills in what the caller has left at its default. An export comes in several forms; the one is taken whose
columns the log has.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from features.errors import MissingColumnError
from features.log.columns import listed
from features.log.settings import Columns, LogSettings
from features.settings import Settings

SettingsT = TypeVar("SettingsT", bound=Settings)


@dataclass(frozen=True)
class Form:
    """A form of an export.

    Attributes
    ----------
    customer, date, order : str, its columns
    amount : str, the expression of an order's or a line's amount
    sales : tuple of (column, SQL condition)
        Which rows are sales; one about a column that the log lacks is left out, but the first.
    currency : str, empty for none
    per_order : bool, whether the amount is the order's and may be repeated on its lines
    without : tuple of str, columns that only other forms have
    """

    customer: str
    date: str
    order: str
    amount: str
    needs: tuple[str, ...]
    sales: tuple[tuple[str, str], ...]
    currency: str = ""
    per_order: bool = False
    without: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the log must have."""
        return tuple(dict.fromkeys((self.customer, self.date, self.order, *self.needs, self.sales[0][0])))

    def fits(self, available: Collection[str]) -> bool:
        """Tell whether a log with these columns has this form."""
        return set(self.columns) <= set(available) and not set(self.without) & set(available)


def _shopify(amount: str, *needs: str) -> Form:
    return Form(
        customer="Email",
        date="Created at",
        order="Name",
        amount=amount,
        needs=needs,
        # The lines of an order after its first have no status, and no total.
        sales=(
            ("Financial Status", "\"Financial Status\" IN ('paid', 'partially_paid', 'partially_refunded')"),
            ("Cancelled at", "coalesce(CAST(\"Cancelled at\" AS VARCHAR), '') = ''"),
        ),
        currency="Currency",
        per_order=True,
    )


def _woocommerce(customer: str, date: str, order: str, status: str, total: str, currency: str) -> Form:
    return Form(
        customer=customer,
        date=date,
        order=order,
        amount=f'"{total}"',
        needs=(total,),
        sales=((status, f"replace(lower(\"{status}\"), 'wc-', '') IN ('completed', 'processing')"),),
        currency=currency,
        per_order=True,
    )


def _stripe(customer: str, date: str) -> Form:
    return Form(
        customer=customer,
        date=date,
        order="id",
        amount='Amount - coalesce("Amount Refunded", 0)',
        needs=("Amount", "Amount Refunded"),
        sales=(
            ("Status", "lower(Status) IN ('paid', 'partially refunded', 'succeeded')"),
            ("Captured", "lower(CAST(Captured AS VARCHAR)) <> 'false'"),
        ),
        currency="Currency",
    )


def _olist(amount: str, needs: tuple[str, ...], without: str) -> Form:
    return Form(
        customer="customer_unique_id",  # customer_id is new with every order
        date="order_purchase_timestamp",
        order="order_id",
        amount=amount,
        needs=needs,
        sales=(("order_status", "order_status NOT IN ('canceled', 'unavailable')"),),
        without=(without,),
    )


PRESETS: dict[str, tuple[Form, ...]] = {
    "shopify": (
        _shopify('Total - coalesce("Refunded Amount", 0)', "Total", "Refunded Amount"),
        _shopify("Total", "Total"),
    ),
    "woocommerce": (
        _woocommerce("billing_email", "order_date", "order_id", "status", "order_total", "order_currency"),
        _woocommerce("customer_email", "order_date", "order_id", "status", "order_total", "order_currency"),
        _woocommerce(
            "Email (Billing)",
            "Order Date",
            "Order Number",
            "Order Status",
            "Order Total Amount",
            "Order Currency",
        ),
    ),
    "stripe": tuple(
        _stripe(customer, date)
        for customer in ("Customer ID", "Customer Email")
        for date in ("Created date (UTC)", "Created (UTC)")
    ),
    "olist": (
        _olist("payment_value", ("payment_value",), "order_item_id"),
        _olist("price + freight_value", ("price", "freight_value"), "payment_value"),
    ),
}


def with_preset(log: LogSettings, columns: Columns, available: Sequence[str]) -> tuple[LogSettings, Columns]:
    """Fill in the settings' preset, if they have one, wherever they are at their defaults.

    Raises
    ------
    MissingColumnError
        If the log has no form that the preset knows.

    Examples
    --------
    >>> settings = LogSettings(transactions="export.csv", preset="stripe")
    >>> names = ["id", "Created date (UTC)", "Amount", "Amount Refunded", "Currency", "Status", "Customer ID"]
    >>> filled, columns = with_preset(settings, Columns(), names)
    >>> filled.amount_expression, columns.customer_column
    ('Amount - coalesce("Amount Refunded", 0)', 'Customer ID')
    """
    if log.preset is None:
        return log, columns
    form = next((form for form in PRESETS[log.preset] if form.fits(available)), None)
    if form is None:
        raise MissingColumnError(_no_form(log.preset, available))
    sales = [condition for column, condition in form.sales if column in available]
    names = {"customer_column": form.customer, "date_column": form.date, "order_column": form.order}
    if form.currency in available:
        names["currency_column"] = form.currency
    rules = {"where": " AND ".join(sales), "amount_per_order": form.per_order}
    if columns.amount_column == Columns.model_fields["amount_column"].default:
        rules["amount_expression"] = form.amount
    return _filled(log, rules), _filled(columns, names)


def _filled(settings: SettingsT, values: dict[str, Any]) -> SettingsT:
    """Return the settings with values for what is at its default."""
    missing = {
        name: value
        for name, value in values.items()
        if getattr(settings, name) == type(settings).model_fields[name].get_default(call_default_factory=True)
    }
    return settings.model_copy(update=missing)


def _no_form(preset: str, available: Sequence[str]) -> str:
    forms = PRESETS[preset]
    whole = next((form for form in forms if set(form.columns) <= set(available)), None)
    if whole:
        odd = ", ".join(name for name in whole.without if name in available)
        return (
            f"The log is no single export of {preset}: besides its columns it has {odd}, of another one. Joined, each "
            "row of the one is repeated for those of the other. Give them one by one."
        )
    nearest = min(forms, key=lambda form: len(set(form.columns) - set(available)))
    lacking = listed(name for name in nearest.columns if name not in available)
    return (
        f"The log is no export that --preset {preset} knows: it lacks {lacking}. It has {listed(available)}. Leave "
        "--preset out and name the columns: --customer-column, --date-column, --amount-column."
    )
