"""What a reader of the demonstration's catalog sees in a real browser."""

# ruff: noqa: F811 - pytest finds fixtures by the names of arguments

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By

from tests.reader import Reader
from tests.test_catalog import reader, repository, site  # noqa: F401 - fixtures


def test_a_search_leads_to_a_port_with_all_that_a_consumer_needs(reader: Reader) -> None:
    address = "#!/model/model.orders.order_lines"
    (result,) = [found for found in reader.search("order_lines") if found.get_attribute("href") == address]
    result.click()
    text = reader.text_with("What you can rely on")
    assert reader.browser.current_url.endswith(address)
    assert "One row per product in a basket" in text, "the grain"
    assert reader.query() == "select * from orders.order_lines limit 100"
    assert "Orders data team" in text, "the owner"
    assert "order_line_id" in text, "the key"
    assert "the newest _landed_at is late after 8 days, overdue after 15 days" in text, "the service level"
    assert "confidential; each row is about one customer, identified by household_id" in text, "the classification"
    assert "Spend of each household per product category" in text, "a consumer's purpose"
    assert "customer_behaviour" in reader.links("#!/overview/"), "a consumer"
    assert "17, up to 50 with a warning" in text, "a check's limit"
    tables = reader.browser.find_elements(By.CSS_SELECTOR, ".model-markdown table")
    assert len(tables) == 3, "Markdown is rendered"


@pytest.mark.thorough
def test_a_product_page_leads_to_its_ports_and_decisions(reader: Reader) -> None:
    reader.go_home()
    reader.find(By.LINK_TEXT, "orders").click()
    text = reader.text_with("Decisions about the data")
    assert reader.browser.current_url.endswith("#!/overview/orders")
    assert "The sales record behind every other sales figure in the mesh." in text
    assert "17 sold products are not in the catalogue" in text
    assert "catalogue.products" in reader.links("#!/model/")
    reader.find(By.LINK_TEXT, "baskets").click()
    reader.text_with("What you can rely on")
    assert reader.query() == "select * from orders.baskets limit 100"
