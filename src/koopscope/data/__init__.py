"""Data sets in one common form: handwritten digits, real and bundled, a synthetic twin, controls.

Fetching them is :func:`koopscope.data.loading.load`, apart from these names because it alone needs
the clients of remote sources.
"""

from koopscope.faces import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
