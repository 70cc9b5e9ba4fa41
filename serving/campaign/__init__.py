"""Files of a campaign: the folder of a plan, its summary, and the files of a measurement."""
