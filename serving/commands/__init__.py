"""The commands that score, plan, measure and serve."""
