"""Serves the catalog's single file, on this machine only."""

from __future__ import annotations

import os
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from portmesh.catalog.viewer import STATIC_PAGE, is_safe
from portmesh.errors import MissingArtifactError, UsageError

HOST = "127.0.0.1"


def find_site(root: Path) -> Path:
    """The file in dbt's target folder that `dbt docs generate --static` wrote.

    Raises MissingArtifactError if there is none, or if text from the mesh could run as a script in it.
    """
    target = Path(os.environ.get("DBT_TARGET_PATH") or "target").expanduser()
    file = (target if target.is_absolute() else root / target) / STATIC_PAGE
    if not file.is_file():
        next_step = "dbt build, then: dbt docs generate --static"
        raise MissingArtifactError("There is no catalog to serve yet.", [("looked for", str(file))], next_step)
    if not is_safe(file):
        message = "The catalog was written without Portmesh, so text from the mesh could run as a script in a browser."
        next_step = "dbt docs generate --static, in the environment where Portmesh is installed"
        raise MissingArtifactError(message, [("file", str(file))], next_step)
    return file


def open_server(file: Path, port: int) -> ThreadingHTTPServer:
    """A server that answers only `/`, with the current content of the file. Port 0 picks a free port.

    Raises UsageError if the port is in use or not allowed.
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
            """Log nothing: the command prints only the address."""

    try:
        return ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        raise UsageError(
            f"Port {port} cannot be used: {error.strerror}.", next_step=f"portmesh serve --port {port + 1}"
        ) from error
