"""Koopman spectra of neural-network training: which runs behave alike, and why.

The stages follow one another and never call back:
:mod:`koopscope.data` → :mod:`koopscope.training` or :mod:`koopscope.recording` →
:mod:`koopscope.koopman` → :mod:`koopscope.compare`, :mod:`koopscope.pruning` or
:mod:`koopscope.monitor` → :mod:`koopscope.experiments`.
Importing this package alone imports nothing heavy.
"""

__version__ = "0.1.0"
