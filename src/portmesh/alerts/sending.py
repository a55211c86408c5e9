"""Sends alerts through apprise. A fault is told in a sentence without the URL, and never ends a run."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec

from portmesh.alerts.causes import Alert
from portmesh.alerts.channels import Channels, read_channels
from portmesh.errors import MissingArtifactError, PortmeshError, UsageError
from portmesh.lake.targets import s3_lake
from portmesh.production import PROD, Files, FolderFiles
from portmesh.repository import lake_folder

_CALLS = re.compile(r"@(?=(?:here|channel|everyone|all|team)\b)|<(?=[!@#]|https?:|mailto:)", re.IGNORECASE)
_UNSEEN = "\u2060"


def open_memory(target: str, environment: str) -> Files:
    """Where the lake keeps what an environment told, one file for each product.

    On AWS the folder has the name of the environment's records, where its roles may write and `portmesh env drop`
    removes it. A mesh that cannot be parsed may have any name for its environment.
    """
    prefix = "" if environment == PROD else re.sub(r"[^a-z0-9_]", "_", environment) + "__"
    if target == "local":
        return FolderFiles(lake_folder() / ".portmesh" / f"{prefix}alerts")
    # Imported here because the AWS packages take time to load and a laptop does not need them.
    from portmesh.production_s3 import S3Files

    return S3Files(f"{s3_lake()}/{prefix}portmesh/alerts")


@dataclass
class Sender:
    """Sends alerts to the products' channels. `sent` and `faults` say in words what it did and what went wrong."""

    target: str
    environment: str
    channels: Mapping[str, str]
    sent: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def send(self, alerts: Sequence[Alert], well: Collection[str] = ()) -> None:
        """Send what was not told before, and forget what is `well`: ports, and products."""
        for product, channel in self.channels.items():
            of_product = [alert for alert in alerts if alert.product == product]
            before = self._told(product)
            now = {about: cause for about, cause in before.items() if about not in well}
            for alert in map(self._named, of_product):
                if before.get(alert.about) != alert.cause and self._post(alert, channel):
                    now[alert.about] = alert.cause
            if now != before:
                self._remember(product, now)

    def _named(self, alert: Alert) -> Alert:
        """The alert with its environment, if that is not production."""
        of = "" if self.environment == PROD else f" (environment {self.environment})"
        return replace(alert, title=alert.title + of)

    def _told(self, product: str) -> dict[str, str]:
        with self._said("What was told before cannot be read, so it may be told again."):
            found = json.loads(open_memory(self.target, self.environment).read(f"{product}.json") or b"{}")
            return dict(found) if isinstance(found, dict) else {}
        return {}

    def _remember(self, product: str, told: Mapping[str, str]) -> None:
        with self._said("What was told cannot be kept, so it may be told again."):
            open_memory(self.target, self.environment).change(f"{product}.json", lambda _: json.dumps(told).encode())

    def _post(self, alert: Alert, channel: str) -> bool:
        with self._said(f"Nobody was told that {alert.title}."):
            _notify(read_channels(), channel, alert)
            self.sent.append(f"{channel or 'the default channel'} was told: {alert.title}")
            return True
        return False

    @contextmanager
    def _said(self, meaning: str) -> Iterator[None]:
        try:
            yield
        except PortmeshError as error:
            self.faults.append(f"{meaning} {error}")
        except (OSError, ValueError) as error:
            self.faults.append(f"{meaning} {type(error).__name__}")


def _notify(channels: Channels, channel: str, alert: Alert) -> None:
    """Post one alert as plain text, in which nothing calls a whole channel or hides a link.

    Raises MissingArtifactError without apprise, UsageError if a URL is none or a service does not take it.
    """
    if not find_spec("apprise"):
        raise MissingArtifactError("The package apprise is not installed.", next_step="pip install apprise")
    # Imported here because it takes time to load, and only an alert needs it.
    from apprise import Apprise, NotifyFormat, NotifyType

    # It logs its URLs.
    log = logging.getLogger("apprise")
    log.propagate = False
    log.addHandler(logging.NullHandler())
    service = Apprise()
    if not all(service.add(url) for url in channels.of(channel)):
        raise UsageError("A URL of the channel is none that apprise knows.", [("channel", channel or "default")])
    title, body = (_CALLS.sub(lambda found: found[0] + _UNSEEN, text) for text in (alert.title, alert.body))
    if not service.notify(body=body, title=title, body_format=NotifyFormat.TEXT, notify_type=NotifyType.FAILURE):
        kinds = ", ".join(sorted({str(one.service_name) for one in service}))
        raise UsageError(
            "The service did not take the message.", [("channel", channel or "default"), ("service", kinds)]
        )
