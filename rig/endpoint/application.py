"""The middleware in front of moto: the first handler that returns a response answers the call, else moto does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from rig.endpoint import authorization, objects
from rig.endpoint.athena.api import Athena
from rig.endpoint.calls import Call
from rig.endpoint.faults import Faults
from rig.endpoint.glue import GlueCorrections
from rig.home import Home
from rig.processes import LOOPBACK

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Application:
    """The AWS services of one rig."""

    def __init__(self, moto: WSGIApplication, home: Path, port: int) -> None:
        self.ready = False
        self._moto = moto
        self._home = home
        self._faults = Faults()
        self._glue = GlueCorrections(moto)
        self._athena = Athena(f"http://{LOOPBACK}:{port}", lambda: Home.at(home).servers.get("trino"), self._faults)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        call = Call(environ)
        return (self._answer(call) or self._moto)(environ, start_response)

    def _answer(self, call: Call) -> Response | WSGIApplication | None:
        """The response, or None if moto should answer."""
        path = call.environ.get("PATH_INFO", "")
        if path == "/rig/health":
            status = 200 if self.ready else 503
            return Response(json.dumps({"home": str(self._home)}), status, content_type="application/json")
        if path == "/rig/faults":
            return self._faults.control(call.request)
        if path == "/rig/age":
            return objects.age(call.request)
        if fault := self._faults.meet(call):
            return fault
        if refusal := authorization.refuse(call, self._athena.group_of):
            return refusal
        if call.service == "athena":
            return self._athena.answer(call)
        if call.service == "glue":
            return self._glue.answer(call)
        if call.service == "s3":
            return objects.read_range(call)
        return None
