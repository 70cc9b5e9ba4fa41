"""The columns of what customers buy: cross- and up-selling, discounts, and the product that they may buy next."""

from __future__ import annotations

from features.economics.indicator import Indicator

CROSS_SELLING = (
    Indicator("category_orders", "orders", "Orders with a known category."),
    Indicator("multi_category_share", "share", "Share of them with two categories or more.", "", "higher"),
    Indicator("earlier_buyers", "customers", "Had bought before the period, in a known category."),
    Indicator(
        "cross_buyers",
        "customers",
        "Earlier buyers who buy in the period a category that they had not bought before it.",
        "",
        "higher",
    ),
    Indicator(
        "cross_buying_rate",
        "share",
        "Share of the earlier buyers who buy a category new to them.",
        "cross_buyers / earlier_buyers",
        "higher",
    ),
    Indicator("buying_again", "customers", "Earlier buyers who buy in the period.", "", "higher"),
    Indicator(
        "cross_share_of_buying",
        "share",
        "Share of the earlier buyers who buy in the period for whom a category is new.",
        "cross_buyers / buying_again",
        "higher",
    ),
    Indicator(
        "repeat_purchases",
        "purchases",
        "Days on which a customer buys in a category again, at a known unit price.",
    ),
    Indicator(
        "up_selling_share",
        "share",
        "Share of them at a unit price more than 5% above the customer's last in the category.",
        "",
        "higher",
    ),
)

NEXT_PRODUCTS = (
    Indicator(
        "hits", "customers", "Of them, bought in it the product that was the likeliest by the days before it."
    ),
    Indicator("hit_rate", "share", "Their share.", "hits / customers", "higher"),
    Indicator(
        "popular_hits",
        "customers",
        "Of them, bought in it the most popular product that they had not bought before.",
    ),
    Indicator("popular_hit_rate", "share", "Their share.", "popular_hits / customers"),
    Indicator(
        "better", "yes or no", "The likeliest is bought more often than the most popular, beyond chance."
    ),
    Indicator("next_product", "text", "The likeliest of the products that the customer has not bought."),
    Indicator("bought_product", "text", "Product of the customer that makes it likely."),
    Indicator("probability", "share", "Share of the buyers of bought_product who bought next_product too."),
    Indicator("support", "customers", "Customers who bought both; 20 or more."),
)

DISCOUNTS = (
    Indicator("discounts", "money", "Money that purchases were reduced by.", "", "lower"),
    Indicator(
        "discount_share",
        "share",
        "Share of the list price that was let off; purchases whose discount cannot be used are left out.",
        "discounts / (gross_revenue + discounts)",
        "lower",
    ),
    Indicator("orders_on_discount", "orders", "Orders with a discount.", "", "lower"),
    Indicator(
        "discounted_order_share",
        "share",
        "Share of orders with a discount.",
        "orders_on_discount / orders",
        "lower",
    ),
)
