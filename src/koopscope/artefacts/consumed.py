"""What goes on of a result that may be deleted once all have read it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from koopscope.artefacts import store


def stamped(inputs: Mapping[str, str]) -> dict[str, Any]:
    """Content digest and whole stamp of such inputs.

    No proof can ask for them later, so what they were goes on in the stamps of what was made of
    them (``consumed``).

    Parameters
    ----------
    inputs
        As :func:`contents` gives them.
    """
    return {
        path: {"digest": content, "provenance": store.read_provenance(Path(path))}
        for path, content in inputs.items()
    }
