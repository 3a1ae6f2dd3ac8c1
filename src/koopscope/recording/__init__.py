"""Snapshots of a model's weights, whole or projected, while any loop trains it."""

from koopscope.faces import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
