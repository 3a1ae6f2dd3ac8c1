from .recorder import SnapshotRecorder as SnapshotRecorder
from .recorder import open_snapshots as open_snapshots
from .recorder import window as window
from .sketch import Sketch as Sketch
