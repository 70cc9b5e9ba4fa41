"""Judging models out of time: the race against baselines, refitted recipes, promotion."""
