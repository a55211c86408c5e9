"""The catalog's single file, served on this machine only."""

from __future__ import annotations

import os
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from portmesh.catalog.viewer import STATIC_PAGE, is_safe
from portmesh.errors import MissingArtifactError, UsageError

HOST = "127.0.0.1"


def find_site(root: Path) -> Path:
    """The file that `dbt docs generate --static` wrote, in dbt's target folder.

    Raises MissingArtifactError where there is none, or where a text of the mesh could run in it.
    """
    target = Path(os.environ.get("DBT_TARGET_PATH") or "target").expanduser()
    file = (target if target.is_absolute() else root / target) / STATIC_PAGE
    if not file.is_file():
        next_step = "make demo, or: dbt docs generate --static"
        raise MissingArtifactError("There is no catalog to serve yet.", [("looked for", str(file))], next_step)
    if not is_safe(file):
        message = "The catalog was written by a dbt without Portmesh, so a text of the mesh could run in a browser."
        next_step = "dbt docs generate --static, in the environment where Portmesh is installed"
        raise MissingArtifactError(message, [("file", str(file))], next_step)
    return file


def open_server(file: Path, port: int) -> ThreadingHTTPServer:
    """A server that answers `/` with the file as it is at that moment, and nothing else; port 0 takes a free one.

    Raises UsageError where the port is taken or not ours to take.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.partition("?")[0] not in ("/", f"/{STATIC_PAGE}"):
                self.send_error(HTTPStatus.NOT_FOUND, "The catalog is at /")
                return
            content = file.read_bytes()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is that of the base class
            """Say nothing: the address is all that a reader needs."""

    try:
        return ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        raise UsageError(
            f"Port {port} cannot be used: {error.strerror}.", next_step=f"portmesh serve --port {port + 1}"
        ) from error
