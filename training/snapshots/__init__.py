"""Customers at many dates, each with what came after: the only place where the future is read."""
