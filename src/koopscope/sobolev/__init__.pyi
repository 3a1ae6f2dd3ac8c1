from .norms import SobolevLoss as SobolevLoss
from .schedule import Schedule as Schedule
