"""Judging models out of time: the race against baselines, refits, and the gate before promotion."""
