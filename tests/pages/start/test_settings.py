"""What a link to the first page says: all else in a link to `/` is from before there was one."""

from pages.explore.start.settings import CHOSEN, D_K, SCALE
from ui.controls.table import TEXT
from ui.focus import TOKENS
from ui.navigation import OF_START


def test_every_setting_of_the_first_page_is_known_to_the_menu() -> None:
    own = {setting.key for setting in (TEXT, TOKENS, CHOSEN, D_K, SCALE)}
    assert own | {"lang", "present", "embed", "embed_options", "lesson", "lesson_step"} == OF_START
