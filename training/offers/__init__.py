"""Retention offers: their profit, their allocation to customers, profit measures of a ranking."""
