"""The churn window: how long customers stay away and still come back, and which window that advises."""
