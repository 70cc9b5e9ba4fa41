"""Explanation of a customer's score: contributions, scenarios, and the profit and break-even of offers."""
