"""What `portmesh sample` knows about the demonstration's sources from the ports that are made of them."""

from __future__ import annotations

import pytest

from portmesh.dbt import parse_readable
from portmesh.sampling.wanted import Reference, wish_of
from tests.mesh import REPOSITORY


@pytest.mark.thorough
def test_a_source_has_the_relationships_and_the_values_of_the_port_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    readable = parse_readable("--target", "local")
    tables = {table.label: table for table in wish_of("marketing", readable).tables}
    to_coupons = Reference("coupon_upc", "advertising.coupons", "coupon_upc")
    assert to_coupons in tables["advertising.coupon_redemptions"].references
    assert tables["advertising.campaign_descriptions"].accepted["campaign_type"] == ("Type A", "Type B", "Type C")
    assert tables["advertising.coupon_redemptions"].level("household_id") == "confidential"
    assert {table.classification for table in tables.values()} == {"internal"}
    assert tables["advertising.promotions"].feed == "promotions"
