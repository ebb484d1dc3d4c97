"""Live pictures: Python side of the browser components."""
