from koopscope.koopman.fit import fit
from koopscope.koopman.spectrum import Spectrum

__all__ = ["Spectrum", "fit"]
