"""Koopman spectra of neural-network training: which runs behave alike, and why.

The stages follow one another and never call back:
:mod:`koopscope.data` → :mod:`koopscope.training` → :mod:`koopscope.koopman` →
:mod:`koopscope.compare` → :mod:`koopscope.figures`.
Importing this package alone imports nothing heavy.
"""

__version__ = "0.1.0"
