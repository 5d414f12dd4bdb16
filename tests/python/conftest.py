"""Shared by the tests without a chain: makes ``oracle`` and ``helpers`` importable."""

from hypothesis import HealthCheck, settings

# Timing is not what these tests are about, and a shared machine makes deadlines flaky.
settings.register_profile("plain", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("plain")
