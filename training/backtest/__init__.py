"""Backtests: the profit of targeting policies at past snapshots, settled by what customers did."""
