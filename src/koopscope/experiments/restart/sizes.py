"""What its job needs of memory and disk: as all watched runs do."""

from koopscope.experiments.watching.sizes import needs

__all__ = ["needs"]
