from .model import HierarchicalSVR as HierarchicalSVR
from .scales import critical_scale as critical_scale
from .scales import frequencies as frequencies
from .scales import predict_layers as predict_layers
