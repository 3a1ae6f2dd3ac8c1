"""How Sphinx builds the documentation: ``make docs``."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

import koopscope  # noqa: E402

project = "koopscope"
author = copyright = "the koopscope developers"
version = release = koopscope.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "faces",
    "gallery",
    "moduli",
    "outside",
]
exclude_patterns = ["_build"]
templates_path = ["templates"]
# A page of each name, made from its docstring.
autosummary_generate = True
autosummary_imported_members = True
autodoc_typehints = "none"  # types stand in the signature as written, and in prose below it
autodoc_default_options = {"members": True, "undoc-members": False}
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # included pages begin at any level

html_theme = "furo"
html_title = f"koopscope {version}"
html_static_path = ["static"]
html_css_files = ["koopscope.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
# Nothing from elsewhere: it opens without a network.
html_use_opensearch = ""
pygments_style, pygments_dark_style = "friendly", "native"
