"""The shared assertions explain themselves, as those of a test module do."""

import pytest

pytest.register_assert_rewrite("tests.avm_core.match.planted")
