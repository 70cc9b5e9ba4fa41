"""The retention model, registered as one version: churn, spend and CLV models, files, card and scores."""
