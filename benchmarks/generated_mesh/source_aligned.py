"""A source-aligned domain: it lands events and subjects (customers, shops, machines) and publishes three ports."""

from __future__ import annotations

from random import Random

from benchmarks.generated_mesh.parts import (
    DAY,
    HAPPENED_AT,
    LANDED_AT,
    REGION,
    STATUS,
    SUBJECT,
    Column,
    Domain,
    Model,
    key,
    lines,
    measures_of,
    ref,
)

EXPRESSIONS = [
    "coalesce(%, 0)",
    "greatest(%, 0)",
    "case when status = 'closed' then 0 else % end",
    "round(% * 1.19, 2)",
    "abs(%)",
]
"""What the domain makes of a landed measure. None is ever negative or null."""


def source_aligned_models(domain: Domain, read: list[tuple[Domain, Model]], random: Random) -> list[Model]:
    """The ten models. `read` has the hub's port, except for a hub itself."""
    number, source = f"{domain.number:03}", f"app_{domain.number:03}"
    measures = [f"measure_{place}" for place in range(random.randint(3, 5))]
    daily = random.sample(measures, 3)
    staged, inner = f"stg_{source}__", f"int_{domain.name}__"
    hub_cte, hub_columns, hub_join = _of_the_hub(read)
    of_the_hub = [Column("home_region", "string")] if read else []
    events = (key("event_id"), SUBJECT, REGION, STATUS, *of_the_hub, *measures_of(measures), LANDED_AT)
    enriched = _enriched(inner, measures, hub_cte, hub_columns, hub_join)
    days = (SUBJECT, REGION, DAY, *measures_of(daily), LANDED_AT)
    subjects = (key("subject_id"), REGION, *measures_of(daily), LANDED_AT)
    return [
        Model(f"{staged}events", "staging", _staged_events(source, measures), (key("event_id"), SUBJECT, HAPPENED_AT)),
        Model(f"{staged}subjects", "staging", _staged_subjects(source), (SUBJECT, REGION)),
        Model(f"{inner}events_valid", "intermediate", _valid(staged, measures, random), (key("event_id"),)),
        Model(f"{inner}subjects_latest", "intermediate", _latest(staged), (key("subject_id"), REGION)),
        Model(f"{inner}events_enriched", "intermediate", enriched, (key("event_id"), REGION)),
        Model(f"{inner}days", "intermediate", _days(inner, daily), (SUBJECT, DAY)),
        Model(f"{inner}totals", "intermediate", _totals(inner, daily), (key("subject_id"),)),
        Model(f"events_{number}", "output_ports", _events(inner, measures, read), events),
        Model(f"days_{number}", "output_ports", _published_days(inner, daily), days, ("subject_id", "day")),
        Model(f"subjects_{number}", "output_ports", _subjects(inner, daily), subjects),
    ]


def _staged_events(source: str, measures: list[str]) -> str:
    return f"""
with source as (
    select * from {{{{ source('{source}', 'events') }}}}
),

renamed as (
    select
        cast(event_id as bigint) as event_id,
        cast(subject_id as bigint) as subject_id,
        lower(trim(status)) as status,
        cast(happened_at as timestamp) as happened_at,{lines("cast(% as decimal(18, 2)) as %", measures)}
        cast(landed_at as timestamp) as landed_at
    from source
)

select * from renamed
"""


def _staged_subjects(source: str) -> str:
    return f"""
with source as (
    select * from {{{{ source('{source}', 'subjects') }}}}
),

renamed as (
    select
        cast(subject_id as bigint) as subject_id,
        coalesce(nullif(trim(region), ''), 'unknown') as region,
        cast(changed_at as timestamp) as changed_at
    from source
)

select * from renamed
"""


def _valid(staged: str, measures: list[str], random: Random) -> str:
    made = "".join(lines(f"{random.choice(EXPRESSIONS)} as %", [measure]) for measure in measures)
    return f"""
with events as (
    select * from {ref(staged + "events")}
),

valid as (
    select
        event_id,
        subject_id,
        status,
        cast(happened_at as date) as day,{made}
        landed_at
    from events
    where status <> 'cancelled' and event_id is not null
)

select * from valid
"""


def _latest(staged: str) -> str:
    return f"""
with subjects as (
    select * from {ref(staged + "subjects")}
),

numbered as (
    select
        subject_id,
        region,
        row_number() over (partition by subject_id order by changed_at desc) as place
    from subjects
),

latest as (
    select subject_id, region from numbered
    where place = 1
)

select * from latest
"""


def _of_the_hub(read: list[tuple[Domain, Model]]) -> tuple[str, str, str]:
    """The CTE, column and join of what a domain reads from its hub."""
    if not read:
        return "", "", ""
    (hub, port), *_ = read
    cte = f"home as (\n    select subject_id, region from {ref(hub.name, port.name)}\n),\n\n"
    return cte, "\n        home.region as home_region,", "\n    left join home on valid.subject_id = home.subject_id"


def _enriched(inner: str, measures: list[str], cte: str, column: str, join: str) -> str:
    return f"""
with valid as (
    select * from {ref(inner + "events_valid")}
),

latest as (
    select * from {ref(inner + "subjects_latest")}
),

{cte}enriched as (
    select
        valid.event_id,
        valid.subject_id,
        coalesce(latest.region, 'unknown') as region,{column}
        valid.status,
        valid.day,{lines("valid.%", measures)}
        valid.landed_at
    from valid
    left join latest on valid.subject_id = latest.subject_id{join}
)

select * from enriched
"""


def _days(inner: str, measures: list[str]) -> str:
    return f"""
with events as (
    select * from {ref(inner + "events_enriched")}
),

summed as (
    select
        subject_id,
        region,
        day,{lines("sum(%) as %", measures)}
        max(landed_at) as landed_at
    from events
    group by subject_id, region, day
)

select * from summed
"""


def _totals(inner: str, measures: list[str]) -> str:
    return f"""
with days as (
    select * from {ref(inner + "days")}
),

summed as (
    select
        subject_id,{lines("sum(%) as %", measures)}
        max(landed_at) as landed_at
    from days
    group by subject_id
)

select * from summed
"""


def _events(inner: str, measures: list[str], read: list[tuple[Domain, Model]]) -> str:
    return f"""
with enriched as (
    select * from {ref(inner + "events_enriched")}
),

published as (
    select
        event_id,
        subject_id,
        region,
        status,{lines("%", ["home_region"] if read else [])}{lines("cast(% as decimal(18, 2)) as %", measures)}
        landed_at
    from enriched
)

select * from published
"""


def _published_days(inner: str, measures: list[str]) -> str:
    return f"""
with days as (
    select * from {ref(inner + "days")}
),

published as (
    select
        subject_id,
        region,
        day,{lines("cast(% as decimal(18, 2)) as %", measures)}
        landed_at
    from days
)

select * from published
"""


def _subjects(inner: str, measures: list[str]) -> str:
    return f"""
with latest as (
    select * from {ref(inner + "subjects_latest")}
),

totals as (
    select * from {ref(inner + "totals")}
),

joined as (
    select
        latest.subject_id,
        latest.region,{lines("cast(coalesce(totals.%, 0) as decimal(18, 2)) as %", measures)}
        totals.landed_at
    from latest
    inner join totals on latest.subject_id = totals.subject_id
)

select * from joined
"""
