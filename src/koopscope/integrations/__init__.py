"""Callbacks for trainers of other libraries; each module needs the one that it is named after."""

from koopscope.faces import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
