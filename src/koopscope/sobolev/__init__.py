"""Losses in negative Sobolev norms, their schedules, and plain filters beside them."""

from koopscope.faces import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
