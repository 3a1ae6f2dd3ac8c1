from koopscope.koopman.fit import fit
from koopscope.koopman.regressor import KoopmanRegressor
from koopscope.koopman.spectrum import Spectrum

__all__ = ["KoopmanRegressor", "Spectrum", "fit"]
