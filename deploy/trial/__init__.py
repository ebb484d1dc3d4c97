"""Replicas tried out: light readers, a replica that is killed, and who is left without a page."""
