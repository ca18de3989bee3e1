"""Running a command as an operator does."""

from io import StringIO

import pytest
from django.core.management import call_command


@pytest.fixture
def run():
    """(exit code, what it printed, what it complained about) of a command."""

    def call(*args):
        out, err = StringIO(), StringIO()
        code = 0
        try:
            call_command(*args, stdout=out, stderr=err)
        except SystemExit as exc:
            code = exc.code
        return code, out.getvalue(), err.getvalue()

    return call
