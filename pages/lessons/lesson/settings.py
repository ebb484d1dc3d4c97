"""What a link to a lesson says besides the lesson itself: which of its sheets is shown."""

from ui.state import one_of

SHEET = one_of("sheet", ("steps", "handout", "answers", "edit"))
