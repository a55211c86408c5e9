"""`portmesh serve`: show the catalog in a browser."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from portmesh.catalog.site import HOST, find_site, open_server
from portmesh.output import console
from portmesh.repository import find_root


def serve(
    port: Annotated[
        int, typer.Option(metavar="NUMBER", min=0, max=65535, help="The port to listen on; 0 picks a free one.")
    ] = 8080,
) -> None:
    """Serve the catalog on this machine until Ctrl-C.

    Run `dbt docs generate --static` first: it writes the file that is served.
    """
    with open_server(find_site(find_root()), port) as server:
        console().print(f"The catalog is at http://{HOST}:{server.server_port}/ (stop: Ctrl-C)", markup=False)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
