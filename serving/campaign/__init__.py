"""A campaign as files: the folder that a plan is written to, and what a measurement leaves in it."""
