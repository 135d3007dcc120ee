"""The copy of the checkout that the tests share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from checkout import ENGINE, HERE, Checkout, copied


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """With the toy engine, and its environment as tox makes it by the folder; at the end nothing runs in it."""
    copy = copied(tmp_path_factory.mktemp("house") / "checkout")
    copy.add(HERE / "toy_engine", ENGINE)
    copy.run("-m", "tox", "run", "-e", "toy", "--notest")
    yield copy
    shutil.rmtree(copy.root / ".tox")


@pytest.fixture(autouse=True)
def nothing_is_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test that uses the copy."""
    yield
    if "checkout" in request.fixturenames:
        assert not request.getfixturevalue("checkout").processes()
