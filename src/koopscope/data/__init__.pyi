from .controls import permute as permute
from .controls import relabel as relabel
from .dataset import check as check
from .dataset import dataset_digest as dataset_digest
from .dataset import make as make
from .dataset import standardised as standardised
from .synthetic import synthesize as synthesize
