from .choice import choose as choose
from .fitting import fit as fit
from .regressor import KoopmanRegressor as KoopmanRegressor
from .spectrum import Spectrum as Spectrum
