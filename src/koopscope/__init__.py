"""Koopman spectra of neural-network training: which runs behave alike, and why.

``import koopscope as ks`` offers what most people use; its packages offer the rest. Nothing is
loaded before it is used. The stages follow one another and never call back:
:mod:`koopscope.data` → :mod:`koopscope.training` or :mod:`koopscope.recording` →
:mod:`koopscope.koopman` → :mod:`koopscope.compare`, :mod:`koopscope.pruning` or
:mod:`koopscope.monitor` → :mod:`koopscope.experiments`.
"""

from koopscope.faces import attach

__version__ = "0.2.0"
__getattr__, __dir__, __all__ = attach(__name__, __file__)
