"""Customer economics: what customers cost and bring, as facts of a log and of optional files at a date.

Every number is an aggregate over the purchase-day table (`features.table.purchase_days`), computed in SQL from
exact integers, so that neither the order of the rows nor the number of threads changes one.
"""
