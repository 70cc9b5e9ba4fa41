"""Audiences: a list or a segment kept up to date in another system, by those who joined and those who left."""
