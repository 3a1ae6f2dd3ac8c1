"""Watching a running training by its spectrum."""

from koopscope.faces import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
