"""Metrics of probabilities, of money and of rankings, and the paired comparison of two models."""
