"""Backtests: the profit of targeting policies at past snapshots, given who churned."""
