"""Whether a deployed model still does what it promised."""
