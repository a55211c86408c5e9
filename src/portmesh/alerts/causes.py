"""What there is to tell about a run: one alert for each cause, from the run's outcome."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portmesh.text import count, printable_lines

LONGEST = 3000
"""The most characters of a message. Slack takes 3,000 in a block, and nobody reads more on a phone."""

MODELS, RUN, LATE = " models", " run", " late"
"""What an alert about a product as a whole is about."""


@dataclass(frozen=True)
class Alert:
    """A message for the owner of a product. `about` and `cause` decide whether it was told before."""

    product: str
    about: str
    cause: str
    title: str
    body: str


def alerts_of(outcome: Mapping[str, Any]) -> list[Alert]:
    """The alerts of an outcome.

    What waits for something else tells nobody: the owner of the cause is told. Neither does a wrong request: who made
    it reads the answer.
    """
    if outcome["is_request_wrong"]:
        return []
    return [*_of_ports(outcome["ports"]), *_of_models(outcome), *_of_the_run(outcome)]


def mended(outcome: Mapping[str, Any]) -> set[str]:
    """What is well again, so that the next failure is told even if it is the same."""
    ports: Mapping[str, Any] = outcome["ports"]
    well = {label for label, port in ports.items() if port["state"] in ("published", "unchanged")}
    if outcome["errors"]:
        return well
    of_models = {label.split(".")[0] for label in outcome["failed"] if label not in ports}
    well |= {f"{product}{of}" for product in outcome["products"] for of in (RUN, LATE)}
    return well | {f"{product}{MODELS}" for product in outcome["products"] if product not in of_models}


def failure(product: str, text: str, ports: Mapping[str, Any]) -> Alert:
    """An alert about a run that left no outcome: its process was killed, or did not start."""
    next_step = "next   look at the log of the run, then start it again: it goes on"
    body = _joined(text, _what_consumers_read(ports), next_step)
    return Alert(product, product + RUN, _hash(_of_any_run(text)), f"{product}: the run failed", body)


def lateness(product: str, text: str, ports: Mapping[str, Any]) -> Alert:
    """An alert about a run that takes longer than it should, and goes on."""
    next_step = "next   look at the log of the run: what does it wait for?"
    body = _joined(text, _what_consumers_read(ports), next_step)
    return Alert(product, product + LATE, _hash(text), f"{product}: the run is late", body)


def _of_ports(ports: Mapping[str, Any]) -> Iterator[Alert]:
    for label, port in ports.items():
        if port["state"] not in ("refused", "failed"):
            continue
        read = (port.get("consumers_read") or {}).get("version", "")
        why = sorted(port["failed_checks"]) or [_of_any_run(line) for line in port["message"].splitlines()[:1]]
        is_refused = port["state"] == "refused"
        # A refusal says itself what consumers read and what is next.
        more = () if is_refused else (_what_consumers_read({label: port}), f"next   portmesh build --select {label}")
        title = f"{label} was not published" if is_refused else f"{label} could not be built"
        cause = _hash(port["state"], read, *why)
        yield Alert(label.split(".")[0], label, cause, title, _joined(port["message"], *more))


def _of_models(outcome: Mapping[str, Any]) -> Iterator[Alert]:
    """One alert for all models and tests of a product that failed and are no ports."""
    by_product: dict[str, list[str]] = {}
    for label in outcome["failed"]:
        if label not in outcome["ports"]:
            by_product.setdefault(label.split(".")[0], []).append(label)
    for product, failed in by_product.items():
        waiting = {
            port: outcome["ports"][port]
            for port, causes in outcome["waits_for"].items()
            if port in outcome["ports"] and set(causes) & set(failed)
        }
        first = [f"{label}: {outcome['failed'][label]}" for label in failed[:3]]
        rest = [f"and {len(failed) - 3} more"] if len(failed) > 3 else []
        next_step = f"next   portmesh build --select package:{product}"
        body = _joined(*first, *rest, _what_consumers_read(waiting), next_step)
        title = f"{product}: {count(len(failed), 'model or test', 'models and tests')} failed"
        yield Alert(product, product + MODELS, _hash(*sorted(failed)), title, body)


def _of_the_run(outcome: Mapping[str, Any]) -> Iterator[Alert]:
    errors = [text for target, text in outcome["errors"].items() if target != "records"]
    for product in outcome["products"] if errors else ():
        ports = {label: port for label, port in outcome["ports"].items() if label.startswith(f"{product}.")}
        cause = _hash(*(_of_any_run(text.splitlines()[0]) for text in errors))
        next_step = "next   once the cause is mended, start the run again: it goes on"
        body = _joined(*errors, _what_consumers_read(ports), next_step)
        yield Alert(product, product + RUN, cause, f"{product}: the run could not go on", body)


def _what_consumers_read(ports: Mapping[str, Any]) -> str:
    """A sentence for each port whose records were read; empty without any."""
    known = {label: port["consumers_read"] for label, port in ports.items() if "consumers_read" in port}
    return "\n".join(f"{label}: {_reads(version)}" for label, version in known.items())


def _reads(version: Mapping[str, Any] | None) -> str:
    if not version:
        return "the records show no version that consumers read."
    at = datetime.fromisoformat(version["published_at"])
    return f"consumers read the version of {at:%-d %b %H:%M} UTC ({count(version['rows'] or 0, 'row')})."


def _joined(*parts: str) -> str:
    text = printable_lines("\n\n".join(part for part in parts if part))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 40]}\n… (the run's log has the rest)"


def _of_any_run(text: str) -> str:
    """A text without what is different in each run: numbers, and words with digits such as ids."""
    return re.sub(r"\w*\d\w*", "#", text)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
