"""`python -m rig.endpoint --home FOLDER --port PORT`: serve AWS on this machine until it is stopped."""

from __future__ import annotations

import argparse
import logging
import threading
from pathlib import Path

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from rig.endpoint.application import Application
from rig.processes import LOOPBACK
from rig.servers import CLIENT_KEY, LAKE, REGION, client


class Handler(MotoRequestHandler):
    """moto's request handler without logging, and without the 40 ms delay of small responses."""

    disable_nagle_algorithm = True

    def handle_expect_100(self) -> bool:
        """Send nothing: werkzeug already sends 100 Continue, and a client takes a second one as the final response."""
        return True

    def log_request(self, *_: object) -> None:
        """Log nothing: there are thousands of requests a minute."""


def main() -> None:
    """Serve until SIGTERM."""
    options = argparse.ArgumentParser()
    options.add_argument("--home", type=Path, required=True)
    options.add_argument("--port", type=int, required=True)
    chosen = options.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    application = Application(DomainDispatcherApplication(create_backend_app), chosen.home, chosen.port)
    server = make_server(LOOPBACK, chosen.port, application, threaded=True, request_handler=Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    prepare(f"http://{LOOPBACK}:{chosen.port}")
    application.ready = True
    serving.join()


def prepare(url: str) -> None:
    """Create the lake's bucket, and the database that Spark's clients USE when they connect."""
    client("s3", url, CLIENT_KEY).create_bucket(
        Bucket=LAKE.removeprefix("s3://"), CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    client("glue", url, CLIENT_KEY).create_database(DatabaseInput={"Name": "default"})


if __name__ == "__main__":
    main()
