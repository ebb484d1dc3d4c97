"""One server for each way of starting, shared by the tests that leave it as it was."""

from collections.abc import Iterator

import pytest

from tests.harness.running import SERVE, WAYS, Running, running


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    with running(SERVE) as server:
        yield server


@pytest.fixture(scope="session", params=WAYS)
def either(request: pytest.FixtureRequest) -> Iterator[Running]:
    if request.param == SERVE:
        yield request.getfixturevalue("server")
    else:
        with running(request.param) as server:
            yield server
