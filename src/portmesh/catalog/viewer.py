"""Makes dbt's docs page safe: text from the mesh is shown as text and never runs.

dbt puts the manifest into a script of the page by search and replace, so `</script>` in any text ends that script; and
dbt's search shows HTML in descriptions as HTML. Here the data is an escaped string that the script parses (JSON.parse),
the page runs only the two scripts whose hashes it lists, and `guard.js` shows HTML in search results as text.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

from portmesh.errors import MissingArtifactError

# This is the start of the file, before any text from the mesh, so no such text can imitate it.
MARK = "<!doctype html><!-- dbt's docs page, made safe by Portmesh -->"
STATIC_PAGE = "static_index.html"
# dbt's page: what comes before its only script, the script, and the rest.
VIEWER = re.compile(r"<!doctype html>(?P<head>.*?)<script[^>]*>(?P<script>.*?)</script>(?P<rest>.*)", re.S)


def make_page(viewer: str, manifest: str = "", catalog: str = "") -> str:
    """A safe page from dbt's own `viewer`. With the JSON of both artifacts, the page needs no other file.

    Raises MissingArtifactError if the viewer is not built as this module expects.
    """
    found = VIEWER.fullmatch(viewer)
    if not found or "</script" in found["rest"]:
        raise _unknown_viewer("it does not have exactly one script")
    script = found["script"]
    if manifest:
        data = {'"MANIFEST.JSON INLINE DATA"': manifest, '"CATALOG.JSON INLINE DATA"': catalog}
        script, number = re.subn("|".join(data), lambda place: f"JSON.parse({_literal(data[str(place[0])])})", script)
        if number != len(data):
            raise _unknown_viewer("it has no place for the data")
    scripts = [script, _template("guard.js")]
    policy = f"script-src {' '.join(map(_hash, scripts))}; object-src 'none'; base-uri 'none'; frame-src 'none'"
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    style = f"<style>{_template('narrow.css')}</style>"
    return f"{MARK}{found['head']}{meta}{style}{''.join(f'<script>{each}</script>' for each in scripts)}{found['rest']}"


def _unknown_viewer(got: str) -> MissingArtifactError:
    message = "This version of dbt's docs page is not known to Portmesh, so no catalog was written."
    return MissingArtifactError(message, [("got", got)], "pip install -r requirements.txt")


def is_safe(page: Path) -> bool:
    """Whether `make_page` wrote this page."""
    with page.open(encoding="utf-8", errors="replace") as file:
        return file.read(len(MARK)) == MARK


def _template(name: str) -> str:
    return files("portmesh.catalog").joinpath("templates", name).read_text(encoding="utf-8")


def _literal(text: str) -> str:
    """A JavaScript string literal for `text` that cannot end the script."""
    return json.dumps(text).replace("<", r"\u003c")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
