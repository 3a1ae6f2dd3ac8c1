"""Data sets in one common form: handwritten digits, real and bundled, a synthetic twin, controls.

Fetching them is :func:`koopscope.data.loading.load`, apart from these names because it alone needs
the clients of remote sources.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
