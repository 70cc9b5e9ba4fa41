"""Monitoring of a deployed model: drift, live performance, age, and the reference behind them."""
