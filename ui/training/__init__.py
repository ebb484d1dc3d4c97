"""Training in the background: the queue of runs, and what the pages about it share."""
