from koopscope.monitor.monitor import KoopmanMonitor, MonitorCallback
from koopscope.monitor.sketch import Sketch
from koopscope.monitor.spectrum import WindowSpectrum
from koopscope.monitor.verdict import Verdict, judge
from koopscope.monitor.window import SlidingWindow

__all__ = [
    "KoopmanMonitor",
    "MonitorCallback",
    "Sketch",
    "SlidingWindow",
    "Verdict",
    "WindowSpectrum",
    "judge",
]
