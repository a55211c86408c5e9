"""Where alerts go: the file that PORTMESH_ALERTS names has apprise's URLs for each channel. They hold secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from portmesh.errors import MissingArtifactError, UsageError

VARIABLE = "PORTMESH_ALERTS"
DEFAULT = "default"
EXAMPLE = '"#data-orders": "slack://…", and "default": "mailto://…"'


@dataclass(frozen=True)
class Channels:
    """URLs by channel. They are never printed."""

    urls: Mapping[str, list[str]]

    def of(self, channel: str) -> list[str]:
        """The URLs of a channel, else those of `default`.

        Raises UsageError if there are none.
        """
        found = self.urls.get(channel) or self.urls.get(DEFAULT)
        if not found:
            facts = [("got", channel or "no channel in the product's group"), ("known", ", ".join(self.urls) or "none")]
            raise UsageError(f"{VARIABLE} has no URL for the channel, and no default.", facts, f"add {EXAMPLE}")
        return found


def read_channels() -> Channels:
    """The file of channels.

    Raises MissingArtifactError or UsageError, neither of which has a URL in it.
    """
    name = os.environ.get(VARIABLE, "")
    if not name:
        raise MissingArtifactError(f"{VARIABLE} names no file of channels.", next_step=f"a YAML file with {EXAMPLE}")
    try:
        content = yaml.safe_load(Path(name).read_text())
    except OSError as error:
        raise MissingArtifactError(f"{VARIABLE} names a file that cannot be read.", [("file", name)]) from error
    except (yaml.YAMLError, UnicodeDecodeError):
        content = None
    if not isinstance(content, dict):
        # The parser's own message would show a line of the file.
        raise UsageError(f"{VARIABLE} is not a YAML file of channels.", [("file", name)], EXAMPLE) from None
    urls = {str(channel): [url] if isinstance(url, str) else url for channel, url in content.items()}
    for channel, found in urls.items():
        if not isinstance(found, list) or not all(isinstance(url, str) for url in found):
            raise UsageError(f"{VARIABLE} has no URL or list of URLs for {channel}.", [("file", name)], EXAMPLE)
    return Channels(urls)
