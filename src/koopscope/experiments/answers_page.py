"""The page of answers: the table, and one picture a question, in one file that opens offline."""

import base64
import struct
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from koopscope.experiments.answers import HEAD, Row

HELD = ("yes", "no", "open")
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def page(rows: Iterable[Row], results: Path, ran: str) -> str:
    """HTML of the page.

    Parameters
    ----------
    rows
        Of :func:`koopscope.experiments.answers.answer_rows`.
    results
        Folder that the paths of figures start from. A figure that is missing there is said to be
        so in its row.
    ran
        What was run, in words.
    """
    template = package_files("koopscope.experiments").joinpath("answers.html")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        rows=[asdict(row) | _shown(row, Path(results)) for row in rows], head=HEAD, ran=ran
    )


def _shown(row: Row, results: Path) -> Mapping[str, Any]:
    """Picture of a row, and the word that colours its controls."""
    held = row.controls.partition(":")[0]
    found: dict[str, Any] = {"held": held if held in HELD else "", "image": "", "missing": ""}
    if not (row.page and (results / row.page).exists()):
        found["page"] = ""
    content = _read(results / row.figure) if row.figure else b""
    if not content:
        which = f"results/{row.figure}" if row.figure else "its name is not known"
        return found | {"missing": f"The figure is missing ({which}); run `snakemake figures`."}
    # An image's size keeps the page still while it loads.
    width, height = struct.unpack(">II", content[16:24])
    image = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    return found | {"image": image, "width": width, "height": height}


def _read(path: Path) -> bytes:
    """Content of a PNG; nothing if there is none."""
    try:
        content = path.read_bytes()
    except OSError:
        return b""
    return content if content.startswith(SIGNATURE) and len(content) > 24 else b""
