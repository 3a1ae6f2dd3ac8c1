"""Data sets in one common form: handwritten digits, real and bundled, a synthetic twin, controls.

Fetching them is :func:`koopscope.data.loading.load`, apart from these names because it alone needs
the clients of remote sources.
"""

from koopscope.data.controls import permute, relabel
from koopscope.data.dataset import check, dataset_digest, make, standardised
from koopscope.data.synthetic import synthesize

__all__ = ["check", "dataset_digest", "make", "permute", "relabel", "standardised", "synthesize"]
