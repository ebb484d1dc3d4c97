"""Lessons: lists of steps, each a view of a page and a question, in one value of the link."""
