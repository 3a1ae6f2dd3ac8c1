"""Koopman spectra of trajectories, with a residual for every eigenvalue."""

from koopscope.faces import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
