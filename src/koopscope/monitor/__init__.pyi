from .callback import MonitorCallback as MonitorCallback
from .monitor import KoopmanMonitor as KoopmanMonitor
from .spectrum import WindowSpectrum as WindowSpectrum
from .verdict import Verdict as Verdict
from .verdict import classify as classify
from .window import SlidingWindow as SlidingWindow
