"""`portmesh meter`: add the bytes that Spark read to the records of its publications."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Annotated

import typer

from portmesh.commands.options import AsJson
from portmesh.metering import bytes_by_publication, record_bytes
from portmesh.output import console, errors_as_json, print_json
from portmesh.spark_history import SPARK_UI, ended_statements
from portmesh.text import count, size


def meter(
    spark_ui: Annotated[
        str, typer.Option(metavar="URL", help=f"Spark's UI or history server (default: {SPARK_UI}).")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Add the bytes that Spark read to the publication records.

    Spark reports them only after a statement has ended, so run this after a build on emr.
    """
    with errors_as_json(as_json):
        ui = spark_ui or os.environ.get(SPARK_UI) or "http://127.0.0.1:4040"
        publications = record_bytes(bytes_by_publication(ended_statements(ui)))
    if as_json:
        print_json({"publications": [asdict(publication) for publication in publications]})
    else:
        total = size(sum(publication.bytes for publication in publications))
        console().print(f"{count(len(publications), 'publication')} in Spark's history: {total} read.", markup=False)
