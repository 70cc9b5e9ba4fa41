"""The workbench: pages over the score store for campaign teams, managers and data scientists, without a script."""
