from . import huggingface as huggingface
from . import lightning as lightning
