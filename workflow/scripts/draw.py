"""Draw what the report shows of a store.

Input: the store. Output: a sealed folder with each figure as PNG and PDF, each table as CSV, each
page as HTML.
Params: ``kind`` of the store; ``width`` of figures; ``functions``, by the name of the files.
"""

from matplotlib.figure import Figure

from koopscope.artefacts import store
from koopscope.artefacts.expected import contents
from koopscope.artefacts.names import named
from koopscope.artefacts.progress import stage
from koopscope.artefacts.provenance import stamp
from koopscope.report.style import save

with stage(snakemake.log[0]):
    path = snakemake.input[0]
    # Figures read most of it more than once.
    found = store.read(path, snakemake.params.kind).load()
    width = snakemake.params.width
    provenance = stamp(
        "figures",
        parameters=dict(snakemake.wildcards.items()) | {"width": width},
        inputs=contents(snakemake.params.inputs),
        code=snakemake.params.code,
    )
    with store.staged(snakemake.output[0], provenance) as folder:
        for name, function in snakemake.params.functions.items():
            made = named(function)(found, width=width)
            if isinstance(made, Figure):
                save(made, folder / name, provenance)
            elif isinstance(made, str):
                (folder / f"{name}.html").write_text(made, encoding="utf-8")
            else:
                made.to_csv(folder / f"{name}.csv", index=False)
