from . import compare as compare
from . import data as data
from . import hsvr as hsvr
from . import koopman as koopman
from . import monitor as monitor
from . import pruning as pruning
from . import recording as recording
from . import sobolev as sobolev
from .compare.transport import distance_matrix as distance_matrix
from .compare.transport import wasserstein as wasserstein
from .compare.verdict import Comparison as Comparison
from .errors import InputError as InputError
from .hsvr.model import HierarchicalSVR as HierarchicalSVR
from .hsvr.scales import predict_layers as predict_layers
from .koopman.fitting import fit as fit
from .koopman.regressor import KoopmanRegressor as KoopmanRegressor
from .koopman.spectrum import Spectrum as Spectrum
from .monitor.monitor import KoopmanMonitor as KoopmanMonitor
from .monitor.monitor import MonitorCallback as MonitorCallback
from .pruning.masks import select_masks as select_masks
from .pruning.scores import koopman_gradient as koopman_gradient
from .pruning.scores import koopman_magnitude as koopman_magnitude
from .recording.recorder import record as record
from .recording.snapshots import open_snapshots as open_snapshots
from .sobolev.norms import SobolevLoss as SobolevLoss

__version__: str
