"""Retention offers: their profit, their allocation to customers, policies and profit measures."""
