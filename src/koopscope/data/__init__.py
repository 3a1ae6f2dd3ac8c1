"""Data sets in one common form: handwritten digits, real and bundled, and a synthetic twin.

Fetching them is :func:`koopscope.data.loading.load`, apart from these names because it alone needs
the clients of remote sources.
"""

from koopscope.data.dataset import check, dataset_digest, make, standardised
from koopscope.data.synthetic import synthesize

__all__ = ["check", "dataset_digest", "make", "standardised", "synthesize"]
