"""Injects faults: an error, a delay or both, for the next matching calls. PUT, GET and DELETE /rig/faults."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, dataclass, fields

from werkzeug.wrappers import Request, Response

from rig.endpoint.calls import Call


@dataclass
class Fault:
    """What goes wrong, and for which calls. `times` counts down; without it, a fault lasts until it is cleared."""

    service: str
    operation: str = "*"
    # Only calls by this access key: rig-client, rig-spark, rig-trino, rig-athena, or a role's.
    access_key: str = "*"
    # Only calls with this text in their path, their body or their query.
    match: str = ""
    # The error's code. Without one, the call is only delayed.
    code: str = ""
    message: str = "Injected by the rig."
    status: int = 400
    delay: float = 0
    times: int | None = None

    def fits(self, service: str, operation: str, access_key: str, text: str) -> bool:
        """Whether this fault applies to a call."""
        return (
            self.service == service
            and self.operation in ("*", operation)
            and self.access_key in ("*", access_key)
            and self.match in text
        )


class Faults:
    """The faults of one rig, in the order in which they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def control(self, request: Request) -> Response:
        """PUT adds a fault, GET lists them, DELETE clears them."""
        if request.method == "PUT":
            wanted = request.get_json(force=True)
            known = {field.name for field in fields(Fault)}
            if "service" not in wanted or wanted.keys() - known:
                return Response(f"A fault needs a service; allowed keys: {', '.join(sorted(known))}.\n", 400)
            with self._lock:
                self._faults.append(Fault(**wanted))
        elif request.method == "DELETE":
            with self._lock:
                self._faults.clear()
        with self._lock:
            return Response(json.dumps([asdict(fault) for fault in self._faults]), content_type="application/json")

    def take(self, service: str, operation: str, access_key: str, text: str) -> Fault | None:
        """The first fault that applies to a call. Reduces its `times` by one."""
        with self._lock:
            for fault in self._faults:
                if fault.fits(service, operation, access_key, text):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times == 0:
                            self._faults.remove(fault)
                    return fault
        return None

    def meet(self, call: Call) -> Response | None:
        """Delay or refuse a call if a fault applies to it."""
        if not self._faults:
            return None
        text = call.environ.get("PATH_INFO", "")
        if call.service != "s3":
            text += call.body.decode(errors="replace")
        fault = self.take(call.service, call.operation, call.access_key, text)
        if fault is None:
            return None
        time.sleep(fault.delay)
        if not fault.code:
            return None
        # What a client still sends would be taken for its next request.
        call.request.get_data(cache=False)
        return call.refuse(fault.code, fault.message, fault.status)
