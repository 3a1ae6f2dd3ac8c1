"""The same examples in every run; ``HYPOTHESIS_PROFILE=explore`` looks for new ones."""

import os

from hypothesis import settings

# How long an example takes depends on what else the machine does.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
