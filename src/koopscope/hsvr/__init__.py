from koopscope.hsvr.model import HierarchicalSVR
from koopscope.hsvr.scales import critical_scale, frequencies, predict_layers

__all__ = ["HierarchicalSVR", "critical_scale", "frequencies", "predict_layers"]
