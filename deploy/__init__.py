"""Headlight on one machine with several processes, in containers, and at the free hosts; see deploy/README.md."""
