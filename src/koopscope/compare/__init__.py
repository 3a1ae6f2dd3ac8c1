"""How far apart spectra lie, and whether two groups of them differ more than seeds do."""

from koopscope.faces import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
