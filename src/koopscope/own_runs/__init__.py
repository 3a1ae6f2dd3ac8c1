"""Runs of one's own, from any loop, checkpoint folder or log, to a verdict."""

from koopscope.faces import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
