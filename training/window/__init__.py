"""Choice of the churn window from a log: how long customers are silent and still come back."""
