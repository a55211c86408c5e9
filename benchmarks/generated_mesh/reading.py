"""An aggregate or consumer-aligned domain: it combines three ports of other domains and publishes three ports."""

from __future__ import annotations

from random import Random

from benchmarks.generated_mesh.parts import (
    LANDED_AT,
    REGION,
    REGION_AS_KEY,
    Column,
    Domain,
    Model,
    key,
    lines,
    measures_of,
    ref,
)

NAMES = ("base", "second", "third")
FILTERS = ["% >= 0", "% < 1000000", "region <> 'unknown'", "% is not null"]


def reading_models(domain: Domain, read: list[tuple[Domain, Model]], random: Random) -> list[Model]:
    """The ten models. Each input takes two measures of the port that it reads, and names only what it takes."""
    number, inner = f"{domain.number:03}", f"int_{domain.name}__"
    inputs, measures = [], []
    for name, (owner, port) in zip(NAMES, read, strict=True):
        taken = random.sample([column.name for column in port.columns if column.type.startswith("decimal")], 2)
        sql = _input(owner, port, taken, random.choice(FILTERS))
        exists = f"relationships: {{arguments: {{to: \"ref('{owner.name}', '{port.name}')\", field: subject_id}}}}"
        subject = Column("subject_id", "bigint", (*key("subject_id").tests, *([] if name == "third" else [exists])))
        inputs.append(Model(f"{inner}{name}", "intermediate", sql, (subject, REGION)))
        measures.append(taken)
    combined = [f"{name}_{measure}" for name, taken in zip(NAMES, measures, strict=True) for measure in taken]
    shown = {port: random.sample(combined, 3) for port in ("combined", "ranked", "notable")}
    columns = (key("subject_id"), REGION)
    return [
        *inputs,
        Model(f"{inner}combined", "intermediate", _combined(inner, measures), columns),
        Model(f"{inner}regions", "intermediate", _regions(inner, combined), (REGION_AS_KEY,)),
        Model(f"{inner}ranked", "intermediate", _ranked(inner, combined), columns),
        Model(f"{inner}notable", "intermediate", _notable(inner, combined), columns),
        *(
            Model(
                f"{name}_{number}", "output_ports", _published(inner + name, taken),
                (*columns, *measures_of(taken), LANDED_AT),
            )
            for name, taken in shown.items()
        ),
    ]  # fmt: skip


def _input(owner: Domain, port: Model, measures: list[str], condition: str) -> str:
    return f"""
with port as (
    select
        subject_id,
        region,{lines("%", measures)}
        landed_at
    from {ref(owner.name, port.name)}
),

summed as (
    select
        subject_id,
        max(region) as region,{lines("sum(%) as %", measures)}
        max(landed_at) as landed_at
    from port
    where {condition.replace("%", measures[0])}
    group by subject_id
)

select * from summed
"""


def _combined(inner: str, measures: list[list[str]]) -> str:
    imports = "".join(f"{name} as (\n    select * from {ref(inner + name)}\n),\n\n" for name in NAMES)
    made = "".join(
        lines(f"coalesce({name}.%, 0) as {name}_%", taken) for name, taken in zip(NAMES, measures, strict=True)
    )
    return f"""
with {imports}joined as (
    select
        base.subject_id,
        base.region,{made}
        base.landed_at
    from base
    left join second on base.subject_id = second.subject_id
    left join third on base.subject_id = third.subject_id
)

select * from joined
"""


def _regions(inner: str, measures: list[str]) -> str:
    return f"""
with combined as (
    select * from {ref(inner + "combined")}
),

summed as (
    select
        region,{lines("sum(%) as %", measures)}
        count(*) as subjects
    from combined
    group by region
)

select * from summed
"""


def _ranked(inner: str, measures: list[str]) -> str:
    first = measures[0]
    return f"""
with combined as (
    select * from {ref(inner + "combined")}
),

regions as (
    select region, {first} as of_the_region from {ref(inner + "regions")}
),

ranked as (
    select
        combined.subject_id,
        combined.region,{lines("combined.%", measures)}
        rank() over (partition by combined.region order by combined.{first} desc) as place,
        combined.{first} / nullif(regions.of_the_region, 0) as share_of_the_region,
        combined.landed_at
    from combined
    inner join regions on combined.region = regions.region
)

select * from ranked
"""


def _notable(inner: str, measures: list[str]) -> str:
    taken = lines("%", measures)
    return f"""
with ranked as (
    select * from {ref(inner + "ranked")}
),

first_places as (
    select
        subject_id,
        region,{taken}
        landed_at
    from ranked
    where place <= 10
),

large_shares as (
    select
        subject_id,
        region,{taken}
        landed_at
    from ranked
    where place > 10 and share_of_the_region > 0.01
),

notable as (
    select * from first_places
    union all
    select * from large_shares
)

select * from notable
"""


def _published(model: str, measures: list[str]) -> str:
    return f"""
with rows_to_publish as (
    select * from {ref(model)}
),

published as (
    select
        subject_id,
        region,{lines("cast(% as decimal(18, 2)) as %", measures)}
        landed_at
    from rows_to_publish
)

select * from published
"""
