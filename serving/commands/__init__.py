"""The commands that score, publish, plan, measure and serve."""
