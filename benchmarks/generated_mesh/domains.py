"""Who reads whose ports in the generated mesh.

Six of ten domains are source-aligned, and the first of them are hubs: each of the others reads the subjects of one. A
quarter are aggregates, each of which reads three ports of source-aligned domains; the rest are consumer-aligned and
read ports of both. As in a real mesh, a few ports have most of the readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from benchmarks.generated_mesh.parts import Domain, Model
from benchmarks.generated_mesh.reading import reading_models
from benchmarks.generated_mesh.source_aligned import source_aligned_models

SHARE_OF_HUBS = 0.05


def domains_of(count: int, seed: int = 0) -> list[Domain]:
    """The domains of a mesh. A domain reads only domains before it, so there is no cycle."""
    random = Random(seed)
    sources, aggregates = max(1, count * 6 // 10), count // 4
    kinds = ["source-aligned"] * sources + ["aggregate"] * aggregates
    kinds += ["consumer-aligned"] * (count - len(kinds))
    domains: list[Domain] = []
    for number, kind in enumerate(kinds):
        domain = Domain(number, kind)
        if kind == "source-aligned":
            hubs = domains[: max(1, round(count * SHARE_OF_HUBS))]
            read = [(hub := random.choice(hubs), hub.ports[-1])] if hubs else []
            domain.models += source_aligned_models(domain, read, random)
        else:
            read = _chosen(domain, domains, random)
            domain.models += reading_models(domain, read, random)
        for owner, port in read:
            owner.readers.setdefault(port.name, []).append(domain.name)
        domains.append(domain)
    return domains


def _chosen(domain: Domain, domains: Sequence[Domain], random: Random) -> list[tuple[Domain, Model]]:
    """Three ports of different domains, where there are as many. The first domains are the likeliest."""
    wanted = ["source-aligned"] * 3 if domain.kind == "aggregate" else ["aggregate", "aggregate", "source-aligned"]
    found: list[tuple[Domain, Model]] = []
    for kind in wanted:
        others = [each for each in domains if each not in [owner for owner, _ in found]] or list(domains)
        owners = [each for each in others if each.kind == kind] or others
        owner = random.choices(owners, [1 / (place + 5) for place in range(len(owners))])[0]
        port = random.choice([port for port in owner.ports if (owner, port) not in found])
        found.append((owner, port))
    return found
