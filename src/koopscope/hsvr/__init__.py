"""Hierarchical support vector regression, and its number of layers predicted from a spectrum."""

from koopscope.faces import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
