"""What happens when a service cannot be had."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

REQUIRE = "Z4J_REQUIRE_SERVICES"


class ServiceMissingError(RuntimeError):
    """A service cannot be started here; the text says what to install or to set."""


def services_are_required() -> bool:
    """True in CI and under ``hatch run test``, where a missing service is a failure."""
    return os.environ.get("CI", "") not in ("", "false", "0") or os.environ.get(REQUIRE) == "1"


def give_up(missing: ServiceMissingError) -> NoReturn:
    """Fail the test where services are required; elsewhere skip it. Both say what to do."""
    if services_are_required():
        text = f"A required service is missing. {missing}"
        raise pytest.fail.Exception(text, pytrace=False) from None
    raise pytest.skip.Exception(str(missing)) from None
