"""How good is it? Metrics, the race against simpler models, comparisons, pictures and the model card."""
