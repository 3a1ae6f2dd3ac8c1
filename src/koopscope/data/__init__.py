"""Data sets in one common form: images, a synthetic twin, modular arithmetic, controls.

Fetching them is :func:`koopscope.data.loading.load`, apart from these names because it alone needs
the clients of remote sources.
"""

from koopscope.faces import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
