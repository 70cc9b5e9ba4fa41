"""The report for managers: a page made from the sections of customer economics."""
