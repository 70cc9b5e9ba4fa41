"""Metrics of probabilities and of money, and paired comparisons of two models."""
