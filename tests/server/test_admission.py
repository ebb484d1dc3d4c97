"""Seats and the line, with a clock of the test's own."""

import pytest

from ui.server.admission import FORGOTTEN, LEFT, LOST, MOST_WAITING, PRESENT, PROMISED, House, Waiting


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def house(clock):
    return House(2, clock)


def enters(house, ticket, session=""):
    assert house.ask(ticket, shown=True) is None
    return house.sit(ticket, session)


def fill(house):
    return [enters(house, name) for name in ("ada", "bob")]


def test_as_many_as_there_are_seats_come_in_and_one_more_waits(house):
    fill(house)
    assert house.taken == 2 and house.full
    assert house.ask("eve", shown=False) == Waiting(1)
    assert house.sit("eve", "") is None


def test_those_who_wait_come_in_in_the_order_in_which_they_came(house, clock):
    ada, _ = fill(house)
    for shown in (False, True):
        assert [house.ask(name, shown=shown) for name in ("eve", "kim", "lea")] == [Waiting(1), Waiting(2), Waiting(3)]
    house.leave(ada, ada.holder, lost=False)
    clock.now += LEFT + 1
    assert house.ask("kim", shown=True) == Waiting(2), "a seat is free, and it is Eve's"
    assert house.ask("new", shown=False) == Waiting(4), "nobody slips in"
    assert house.sit("new", "") is None, "nor through the socket"
    assert house.ask("eve", shown=True) is None
    assert house.sit("eve", "")
    assert house.ask("kim", shown=True) == Waiting(1)


def test_whoever_stops_asking_is_passed_over_and_then_forgotten(house, clock):
    ada, _ = fill(house)
    house.ask("eve", shown=True)
    house.ask("kim", shown=True)
    house.leave(ada, ada.holder, lost=False)
    clock.now += PRESENT + 1
    assert house.ask("kim", shown=True) is None, "Eve does not ask any more"
    assert house.waiting == 1
    assert house.ask("eve", shown=True) == Waiting(1), "but she is back before she is forgotten"
    clock.now += FORGOTTEN + 1
    assert house.waiting == 0


def test_a_page_that_never_opens_its_socket_loses_its_seat(house, clock):
    house.ask("ada", shown=False)
    house.ask("bob", shown=False)
    assert house.full
    clock.now += PROMISED - 1
    house.loads("bob")
    clock.now += 2
    assert house.ask("eve", shown=False) is None, "Ada's"
    assert house.ask("kim", shown=False) == Waiting(1), "Bob's page is loading its files"


def test_a_reload_finds_its_seat_although_others_wait(house, clock):
    ada, _ = fill(house)
    house.ask("eve", shown=False)
    house.leave(ada, ada.holder, lost=False)
    clock.now += LEFT - 1
    assert house.ask("ada", shown=True) is None
    assert house.sit("ada", "")
    assert house.ask("eve", shown=True) == Waiting(1)


def test_a_reload_whose_old_socket_still_stands_gets_its_page(house):
    fill(house)
    assert house.ask("ada", shown=True) == Waiting(1), "a second page of hers waits like everybody"
    assert house.ask("ada", shown=True, reloads=True) is None
    assert house.ask("eve", shown=False, reloads=True) == Waiting(2), "but not whoever only says so"


def test_a_lost_network_keeps_the_seat_as_long_as_the_session(house, clock):
    ada, _ = fill(house)
    ada.session = "session-of-ada"
    house.leave(ada, ada.holder, lost=True)
    clock.now += LOST - 1
    assert house.ask("eve", shown=False) == Waiting(1)
    assert house.sit("", "session-of-ada") is ada, "found by the session alone"
    house.leave(ada, ada.holder, lost=True)
    clock.now += LOST + 1
    assert house.sit("", "session-of-ada") is not ada, "then it is anybody's"


def test_whoever_comes_back_before_the_old_socket_is_known_to_be_dead_takes_the_seat_over(house):
    ada, _ = fill(house)
    ada.session = "session-of-ada"
    old = ada.holder
    assert house.sit("ada", "session-of-ada") is ada
    house.leave(ada, old, lost=True)
    assert ada.state == "taken" and house.taken == 2, "the old socket frees nothing"


@pytest.mark.parametrize("session", ["", "made-up"])
def test_a_made_up_session_gives_no_seat(house, session):
    fill(house)
    assert house.sit("eve", session) is None


def test_a_seat_used_for_a_new_session_forgets_the_old_name(house):
    ada, _ = fill(house)
    ada.session = "first"
    house.leave(ada, ada.holder, lost=False)
    again = enters(house, "ada")
    assert again is ada and again.session == ""


def test_a_browser_without_cookies_gets_the_seat_its_page_was_promised(house):
    house.ask("unknown-1", shown=False)
    house.ask("unknown-2", shown=False)
    assert house.sit("", "") and house.sit("", "")
    assert house.sit("", "") is None


def test_the_line_is_bounded(house):
    fill(house)
    assert house.ask("stray", shown=False) == Waiting(1)
    for number in range(1, MOST_WAITING):
        assert house.ask(f"ticket {number}", shown=True) == Waiting(number + 1)
    assert house.ask("one more", shown=True) == Waiting(MOST_WAITING), "instead of the stray one"
    assert house.ask("too many", shown=True) == Waiting(None)
    assert house.waiting == MOST_WAITING


def test_browsers_without_cookies_do_not_stand_in_their_own_way(house, clock):
    ada, _ = fill(house)
    for number in range(5):
        house.ask(f"never shown again {number}", shown=False)
    house.leave(ada, ada.holder, lost=False)
    clock.now += LEFT + 1
    assert house.ask("never shown again 5", shown=False) is None


def test_a_closed_house_takes_nobody_new_and_keeps_those_inside(house):
    ada = enters(house, "ada")
    ada.session = "session-of-ada"
    house.state = "draining"
    assert house.ask("eve", shown=False) == Waiting(None)
    assert house.sit("eve", "") is None
    house.leave(ada, ada.holder, lost=True)
    assert house.sit("ada", "session-of-ada") is ada


def test_it_counts_who_came_in_and_who_was_refused(house):
    ada, _ = fill(house)
    ada.session = "session-of-ada"
    house.sit("ada", "session-of-ada")
    house.ask("eve", shown=False)
    house.sit("eve", "")
    assert dict(house.happened) == {"admitted": 2, "refused": 2}
