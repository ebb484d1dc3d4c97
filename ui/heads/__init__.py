"""The sections of the Heads page: one file each. A section draws itself and returns the arrays it shows."""
