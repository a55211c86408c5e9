"""dbt's docs page, made safe: whatever a mesh's text says, it is shown as text and nothing of it runs.

dbt puts the manifest into a script of the page by search and replace, so that `</script>` in any text ends it, and its
search shows HTML of descriptions as HTML. Here the data are text of a script (JSON.parse of an escaped string), the
page runs the two scripts whose hashes it states and nothing else, and `guard.js` keeps HTML in results text.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

from portmesh.errors import MissingArtifactError

# No text of a mesh comes before it in a file, so none can pretend to be it.
MARK = "<!doctype html><!-- dbt's docs page, made safe by Portmesh -->"
STATIC_PAGE = "static_index.html"
# A page of dbt's: what is before its only script, the script, the rest.
VIEWER = re.compile(r"<!doctype html>(?P<head>.*?)<script[^>]*>(?P<script>.*?)</script>(?P<rest>.*)", re.S)


def make_page(viewer: str, manifest: str = "", catalog: str = "") -> str:
    """A safe page from dbt's own `viewer`; with the JSON of both artifacts it needs no other file.

    Raises MissingArtifactError where the viewer is not as dbt's was.
    """
    found = VIEWER.fullmatch(viewer)
    if not found or "</script" in found["rest"]:
        raise MissingArtifactError("dbt's docs page is not built as Portmesh knows it: it has not one script.")
    script = found["script"]
    if manifest:
        data = {'"MANIFEST.JSON INLINE DATA"': manifest, '"CATALOG.JSON INLINE DATA"': catalog}
        script, number = re.subn("|".join(data), lambda place: f"JSON.parse({_literal(data[str(place[0])])})", script)
        if number != len(data):
            raise MissingArtifactError("dbt's docs page is not built as Portmesh knows it: it has no place for data.")
    scripts = [script, _template("guard.js")]
    policy = f"script-src {' '.join(map(_hash, scripts))}; object-src 'none'; base-uri 'none'; frame-src 'none'"
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    style = f"<style>{_template('narrow.css')}</style>"
    return f"{MARK}{found['head']}{meta}{style}{''.join(f'<script>{each}</script>' for each in scripts)}{found['rest']}"


def is_safe(page: Path) -> bool:
    """Whether a page is one that was made here."""
    with page.open(encoding="utf-8", errors="replace") as file:
        return file.read(len(MARK)) == MARK


def _template(name: str) -> str:
    return files("portmesh.catalog").joinpath("templates", name).read_text(encoding="utf-8")


def _literal(text: str) -> str:
    """A string of JavaScript that holds `text` and ends no script."""
    return json.dumps(text).replace("<", r"\u003c")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
