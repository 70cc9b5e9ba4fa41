"""The model that is registered as one version: churn, spend and value models, and its scores."""
