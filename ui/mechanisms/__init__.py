"""Parts of the pages on mechanisms."""
