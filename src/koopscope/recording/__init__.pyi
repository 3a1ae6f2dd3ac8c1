from .recorder import Recorder as Recorder
from .sketch import Sketch as Sketch
from .snapshots import open_snapshots as open_snapshots
from .snapshots import window as window
from .weights import prunable as prunable
