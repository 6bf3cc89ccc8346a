from hypothesis import HealthCheck, settings

# Hypothesis' limits of time, for an example and for making ten of them, fail under load.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")
