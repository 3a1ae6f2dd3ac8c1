"""Which weights a network needs: Koopman modes, magnitudes, gradients; masks and removal."""

from koopscope.faces import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
