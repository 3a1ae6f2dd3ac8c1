from koopscope.experiments.known_answers.methods.spectral import Spectral
from koopscope.experiments.known_answers.plan import spectrum_named
import numpy as np
class Curves:
    def distances(self, a, b):
        def c(p):
            x=np.log(p["loss"].mean("init").values.astype(float)); k=max(3,x.shape[1]//20)
            return np.apply_along_axis(lambda v: np.convolve(v,np.ones(k)/k,"valid"),1,x)
        x=np.concatenate([c(a),c(b)]); 
        from scipy.spatial.distance import cdist
        return cdist(x,x)/np.sqrt(x.shape[1])
def method_of(name, spectra):
    if name=="loss curves": return Curves()
    s=spectrum_named(name); return Spectral(s.coordinates,s.distance,s.observable,spectra)
