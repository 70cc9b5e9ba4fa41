"""Erasure of customers who ask to be forgotten: from the store, campaign folders, and lists."""
