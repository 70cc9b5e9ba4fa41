"""A campaign from plan to truth: the lists, the holdout, and what was earned."""
