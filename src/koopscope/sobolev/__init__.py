from koopscope.sobolev.norms import SobolevLoss
from koopscope.sobolev.schedule import Schedule

__all__ = ["Schedule", "SobolevLoss"]
