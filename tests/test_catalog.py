"""The catalog's pages match the mesh, and a reader finds a product and a port in a real browser."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner
from selenium.webdriver.common.by import By

from portmesh.catalog.pages import readme_sections
from portmesh.catalog.site import find_site, open_server
from portmesh.catalog.viewer import MARK
from portmesh.cli import main
from portmesh.errors import MissingArtifactError
from portmesh.text import count
from tests.mesh import REPOSITORY, Mesh
from tests.reader import Reader, reader_of

COLUMNS = """
- name: line_id
  data_type: bigint
  description: The key.
  data_tests: [not_null, unique]
- name: amount
  data_type: double
  description: Euro.
  constraints: [{type: not_null}]
  data_tests:
    - accepted_range:
        arguments: {min_value: 0}
        config: {where: "line_id > 0 or amount || 'x' = 'y'", warn_if: ">17", error_if: ">50"}
- name: landed_at
  data_type: timestamp
  description: When it landed.
  data_tests:
    - not_null:
        config: {severity: warn}
"""
SQL = "select line_id, amount, landed_at from {{ source('raw', 'lines') }}"
CONSUMERS = """
consumers:
  - {name: desk, purpose: Count | lines, until: 2027-06-30}
  - {name: till_report, purpose: Print them}
"""
LINES_YML = "domains/shop/models/output_ports/lines.yml"
PAGES = ["desk.md", "overview.md", "shop.md"]


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return int(stop.value.code or 0)


# What is written


@pytest.fixture
def shop(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """A mesh with the products shop and desk. The description of shop's port lines has its page; desk has no port."""
    mesh.set_up("shop", "desk", root={"on-run-start": []})
    mesh.port("shop/lines", SQL, COLUMNS, meta=CONSUMERS)
    show(mesh, "lines")
    mesh.write("domains/desk/models/intermediate/int_desk__lines.sql", "select * from {{ ref('shop', 'lines') }}")
    assert mesh.dbt("deps").ok
    monkeypatch.chdir(mesh.folder)
    return mesh


def show(mesh: Mesh, port: str) -> None:
    """Include a port's page at the end of its description."""
    path = f"domains/shop/models/output_ports/{port}.yml"
    old = f"    description: One row per line of {port}."
    new = f"    description: |\n      One row per line of {port}.\n\n      {{{{ doc('shop__{port}') }}}}"
    replace(mesh, path, old, new)


def replace(mesh: Mesh, path: str, old: str, new: str) -> None:
    text = (mesh.folder / path).read_text()
    assert old in text
    (mesh.folder / path).write_text(text.replace(old, new))


def page(mesh: Mesh, name: str) -> str:
    return (mesh.folder / "docs/catalog" / name).read_text()


def files(mesh: Mesh) -> list[str]:
    return sorted(path.name for path in (mesh.folder / "docs/catalog").iterdir())


def test_a_new_mesh_gets_its_pages_and_is_up_to_date(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("catalog") == 0
    out = capsys.readouterr().out
    assert out.startswith("Wrote 3 catalog files: 2 products and 1 port.\n")
    assert "docs/catalog/shop.md" in out
    assert files(shop) == PAGES
    assert call("catalog", "--check") == 0
    assert capsys.readouterr().out == "The catalog is up to date: 2 products and 1 port.\n"


@pytest.mark.parametrize(
    ("days", "said"),
    [(-1, ": **expired**"), (0, ": **ends soon**"), (30, ": **ends soon**, agree on a new date"), (32, "")],
)
@pytest.mark.thorough
def test_a_page_says_that_access_ends_and_no_day_brings_it_out_of_step(shop: Mesh, days: int, said: str) -> None:
    assert call("catalog") == 0
    before = page(shop, "shop.md")
    until = datetime.now(UTC).date() + timedelta(days=days)
    replace(shop, LINES_YML, "until: 2027-06-30", f"until: {until}")
    assert call("catalog") == 0
    (line,) = [line for line in page(shop, "shop.md").splitlines() if f"{until:%-d %b %Y}" in line]
    assert (said in line) if said else line.endswith(f"| {until:%-d %b %Y} |")
    (shop.folder / "docs/catalog/shop.md").write_text(before.replace("30 Jun 2027", f"{until:%-d %b %Y}"))
    assert call("catalog", "--check") == 0


def test_of_two_entries_of_a_consumer_the_later_holds(shop: Mesh) -> None:
    today = datetime.now(UTC).date()
    entry = "{name: desk, purpose: Count | lines, until: 2027-06-30}"
    earlier = entry.replace("2027-06-30", str(today)).replace("Count", "Add")
    replace(shop, LINES_YML, entry, f"{entry}\n          - {earlier}")
    assert call("catalog") == 0
    assert "ends soon" not in page(shop, "shop.md")


def test_the_same_mesh_gives_the_same_pages(shop: Mesh) -> None:
    assert call("catalog") == 0
    first = {name: page(shop, name) for name in PAGES}
    assert call("catalog") == 0
    assert {name: page(shop, name) for name in PAGES} == first
    shutil.rmtree(shop.folder / "docs")
    assert call("catalog") == 0
    assert {name: page(shop, name) for name in PAGES} == first


def test_a_port_page_says_what_consumers_can_rely_on(shop: Mesh) -> None:
    assert call("catalog") == 0
    text = page(shop, "shop.md")
    assert "select * from shop.lines limit 100" in text
    assert "`{{ ref('shop', 'lines') }}`" in text
    assert "| Owner | Team shop, [shop@example.com](mailto:shop@example.com), #shop |" in text
    assert "| Key | `line_id` |" in text
    assert "| Service level | the newest `landed_at` is late after 24 hours |" in text
    assert "| Classification | internal |" in text
    assert "| [desk](#!/overview/desk) | Count &#124; lines | 30 Jun 2027 |" in text
    assert "| till_report | Print them | no end |" in text


def test_a_port_page_says_what_is_checked_and_what_passes(shop: Mesh) -> None:
    assert call("catalog") == 0
    text = page(shop, "shop.md")
    where = "line_id > 0 or amount &#124;&#124; 'x' = 'y'"
    expected = f"| accuracy | `accepted_range min_value 0` | `amount` | {where} | 17, up to 50 with a warning |"
    assert expected in text
    assert "| completeness | `not_null` | `line_id`, `amount` |  | none |" in text, "constraints are checks, too"
    assert "| completeness | `not_null` | `landed_at` |  | any number, with a warning |" in text
    assert "| uniqueness | `unique` | `line_id` |  | none |" in text


def test_home_and_product_link_to_each_other_and_to_ports(shop: Mesh) -> None:
    readme = "# Shop\n\nWords.\n\n## Decisions\n\nSee [the rule](../docs/x.md): {{ no }}.\n"
    shop.write("domains/shop/README.md", readme)
    assert call("catalog") == 0
    home, product, desk = (page(shop, name) for name in ("overview.md", "shop.md", "desk.md"))
    assert "2 data products with 1 output port." in home
    assert "| [shop](#!/overview/shop) | The product shop. | source-aligned | active | Team shop | " in home
    assert "[lines](#!/model/model.shop.lines) |" in home
    assert "| [lines](#!/model/model.shop.lines) | One row per line of lines. | internal | 1.0.0 | " in product
    assert "| `raw.lines` | not stated | a source |" in product
    assert "### Decisions\n\nSee the rule: {{ no }}.\n" in product
    assert "None yet." in desk
    assert "| Built | by hand only; stopped after 24h |" in product
    assert "| Built | on a new input; stopped after 24h |" in desk
    assert "| [shop.lines](#!/model/model.shop.lines) | One row per line of lines. | an output port |" in desk
    assert shop.dbt("parse").ok, "what looks like Jinja in a README is text"


def test_a_port_without_consumers_says_so(shop: Mesh) -> None:
    shop.port("shop/lines", SQL, COLUMNS)
    assert call("catalog") == 0
    assert "This port has no consumers yet." in page(shop, "shop.md")
    assert "| none yet | |" in page(shop, "overview.md")


def test_a_changed_port_is_found_and_named(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("catalog") == 0
    before = page(shop, "shop.md")
    replace(shop, LINES_YML, "until: 2027-06-30", "until: 2027-07-31")
    capsys.readouterr()
    assert call("catalog", "--check") == 1
    assert capsys.readouterr().err == (
        "The catalog is out of date: 1 finding.\n\n"
        "  docs/catalog/shop.md   out of date\n"
        "  next                   portmesh catalog, and commit the files\n"
    )
    assert page(shop, "shop.md") == before, "a check writes nothing"
    assert call("catalog", "--check", "--json") == 1
    assert json.loads(capsys.readouterr().out)["pages"] == {"docs/catalog/shop.md": "out of date"}
    assert call("catalog") == 0
    assert "31 Jul 2027" in page(shop, "shop.md")
    assert call("catalog", "--check") == 0


def test_a_page_that_is_edited_lost_or_left_over_is_found(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("catalog") == 0
    folder = shop.folder / "docs/catalog"
    (folder / "overview.md").write_text("{% docs __overview__ %}\nWelcome\n{% enddocs %}\n")
    (folder / "desk.md").unlink()
    (folder / "old.md").write_text("gone")
    capsys.readouterr()
    assert call("catalog", "--check", "--json") == 1
    assert json.loads(capsys.readouterr().out)["pages"] == {
        "docs/catalog/desk.md": "missing",
        "docs/catalog/old.md": "left over",
        "docs/catalog/overview.md": "out of date",
    }
    assert call("catalog") == 0
    assert files(shop) == PAGES


@pytest.mark.thorough
def test_a_new_port_builds_without_its_line_and_the_check_names_it(
    shop: Mesh, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("catalog") == 0
    shop.port("shop/totals", "select * from {{ ref('lines') }}", COLUMNS)
    assert shop.dbt("parse").ok
    capsys.readouterr()
    assert call("catalog") == 0
    assert "[totals](#!/model/model.shop.totals)" in page(shop, "overview.md")
    out = " ".join(capsys.readouterr().out.split())
    assert (
        "shop.totals end its description with the line {{ doc('shop__totals') }} next fix the lines above, then: "
        in out
    )
    assert call("catalog", "--check") == 1
    assert capsys.readouterr().err == (
        "The catalog is out of date: 1 finding.\n\n"
        "  shop.totals   end its description with the line\n"
        "                {{ doc('shop__totals') }}\n"
        "  next          fix the lines above, and commit the files\n"
    )
    show(shop, "totals")
    assert call("catalog", "--check") == 0


def test_a_line_in_the_middle_of_a_sentence_is_found(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    replace(shop, LINES_YML, "One row per line of lines.\n\n      {{", "One row per line of lines. {{")
    assert call("catalog") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "shop.lines put this on a line of its own, after an empty line: {{ doc('shop__lines') }}" in out
    assert call("catalog", "--check") == 1


def test_a_page_is_no_description(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    replace(shop, LINES_YML, "One row per line of lines.\n\n      {{", "{{")
    assert call("catalog") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "shop.lines describe what one row is, above the line {{ doc('shop__lines') }}" in out
    assert call("catalog", "--check") == 1


@pytest.mark.thorough
def test_a_new_port_may_include_its_page_before_it_exists(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("catalog") == 0
    shop.port("shop/totals", "select * from {{ ref('lines') }}", COLUMNS)
    show(shop, "totals")
    capsys.readouterr()
    assert call("catalog", "--check") == 1
    assert capsys.readouterr().err == (
        "The catalog is out of date: 2 findings.\n\n"
        "  docs/catalog/overview.md   out of date\n"
        "  docs/catalog/shop.md       out of date\n"
        "  next                       portmesh catalog, and commit the files\n"
    )
    assert call("catalog") == 0
    assert files(shop) == PAGES
    assert call("catalog", "--check") == 0
    assert shop.dbt("parse").ok


@pytest.mark.thorough
def test_each_version_of_a_port_has_its_page(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    shop.port("shop/lines", SQL, COLUMNS, extra="latest_version: 1\nversions: [{v: 1, config: {alias: lines}}, {v: 2}]")
    (shop.folder / "domains/shop/models/output_ports/lines.sql").rename(
        shop.folder / "domains/shop/models/output_ports/lines_v1.sql"
    )
    shop.write("domains/shop/models/output_ports/lines_v2.sql", SQL)
    assert call("catalog") == 0
    text = page(shop, "shop.md")
    assert "{% docs shop__lines_v1 %}" in text
    assert "select * from shop.lines limit 100" in text
    assert "`{{ ref('shop', 'lines', v=2) }}`" in text
    assert "[lines.v2](#!/model/model.shop.lines.v2)" in text

    line = "{% raw %}{{ doc('shop__lines_v2') }}{% endraw %}"
    asked = f"shop.lines.v2 below `- v: 2`, write its own description, which ends with the line {line}"
    assert asked in " ".join(capsys.readouterr().out.split())
    described = [
        f'{{v: {v}, description: "One row per line.\\n\\n{line.replace("v2", f"v{v}")}"{config}}}'
        for v, config in ((1, ", config: {alias: lines}"), (2, ""))
    ]
    shop.port("shop/lines", SQL, COLUMNS, extra=f"latest_version: 1\nversions: [{', '.join(described)}]")
    (shop.folder / "domains/shop/models/output_ports/lines.sql").unlink()
    assert call("catalog") == 0
    assert "shop.lines.v" not in capsys.readouterr().out
    assert call("catalog", "--check") == 0


def test_meta_that_is_not_well_formed_is_a_finding(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    replace(shop, LINES_YML, "until: 2027-06-30", "until: soon")
    assert call("catalog") == 1
    err = capsys.readouterr().err
    assert err.startswith("The mesh cannot be read: config.meta of shop.lines is not well-formed.\n")
    assert "domains/shop/models/output_ports/lines.yml" in err
    assert "consumers.0.until" in err


def test_what_dbt_cannot_parse_is_reported_in_dbts_words(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    shop.write("domains/shop/models/output_ports/totals.sql", "select * from {{ ref('nothing') }}")
    assert call("catalog") == 1
    assert "depends on a node named 'nothing' which was not found" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("readme", "sections"),
    [
        ("", ""),
        ("# Orders\n\nWhat was bought.\n", ""),
        ("# Orders\n\n## Flaws\n\n### Fuel\n", "### Flaws\n\n#### Fuel"),
        ("## A\n[here](b.md), [there](https://example.com)\n", "### A\nhere, [there](https://example.com)"),
        ("## A\n```\n# [x](y)\n```\n", "### A\n```\n# [x](y)\n```"),
        ("## A\n~~~\n# [x](y)\n~~~\n![a picture](b.png)\n", "### A\n~~~\n# [x](y)\n~~~\na picture"),
    ],
)
def test_a_readme_gives_its_sections(readme: str, sections: str) -> None:
    assert readme_sections(readme) == sections


# The repository's own catalog


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Links to the repository's mesh, with its own target folder, packages and database."""
    folder = tmp_path_factory.mktemp("repository")
    for name in ("dbt_project.yml", "packages.yml", "profiles.yml", "domains", "macros", "seeds", "docs"):
        if (REPOSITORY / name).exists():
            (folder / name).symlink_to(REPOSITORY / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORTMESH_DATABASE", str(folder / "mesh.duckdb"))
        patch.setenv("PORTMESH_LAKE", str(folder / "lake"))
        patch.delenv("PORTMESH_ENVIRONMENT", raising=False)
        patch.setenv("DBT_TARGET_PATH", str(folder / "target"))
        patch.chdir(folder)
        assert dbtRunner().invoke(["deps", "--quiet"]).success
        yield folder


def test_the_repository_is_up_to_date_with_its_catalog(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    assert call("catalog", "--check") == 0


# What a reader sees


@pytest.fixture(scope="module")
def site(repository: Path) -> Path:
    """The catalog of a mesh that was never built, as one file."""
    result = dbtRunner().invoke(["docs", "generate", "--static", "--empty-catalog", "--quiet"])
    assert result.success, result.exception
    return find_site(repository)


@pytest.fixture(scope="module")
def reader(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with reader_of(site, tmp_path_factory.mktemp("browser")) as found:
        yield found


def test_the_home_shows_the_products(reader: Reader) -> None:
    domains = sorted(path.parent.name for path in REPOSITORY.glob("domains/*/dbt_project.yml"))
    ports = sorted(path.stem for path in REPOSITORY.glob("domains/*/models/output_ports/*.yml"))
    assert len(ports) > 1
    reader.go_home()
    text = reader.text_with(f"{count(len(domains), 'data product')} with {len(ports)} output ports")
    assert sorted(set(reader.links("#!/overview/"))) == domains
    assert set(ports) <= set(reader.links("#!/model/model."))
    assert "Data about the mesh itself." in text
    assert "Data platform team" in text
    assert "aggregate" in text


def test_a_search_leads_to_a_port_with_all_that_a_consumer_needs(reader: Reader) -> None:
    address = "#!/model/model.platform.publications"
    (result,) = [found for found in reader.search("publications") if found.get_attribute("href") == address]
    result.click()
    text = reader.text_with("What you can rely on")
    assert reader.browser.current_url.endswith(address)
    assert "One row per attempt to publish a port" in text, "the grain"
    assert reader.query() == "select * from platform.publications limit 100"
    assert "Data platform team" in text, "the owner"
    assert "invocation_id" in text, "the key"
    assert "the newest attempted_at is late after 2 days, overdue after 8 days" in text, "the service level"
    assert "Show owners what was refused and why" in text, "a consumer's purpose"
    tables = reader.browser.find_elements(By.CSS_SELECTOR, ".model-markdown table")
    assert len(tables) == 3, "Markdown is rendered"


def test_a_product_page_leads_to_its_ports(reader: Reader) -> None:
    reader.go_home()
    reader.find(By.LINK_TEXT, "platform").click()
    text = reader.text_with("Data about the mesh itself.")
    assert reader.browser.current_url.endswith("#!/overview/platform")
    assert "Show every owner and consumer what was published or refused, and its quality." in text
    reader.find(By.LINK_TEXT, "port_quality").click()
    reader.text_with("What you can rely on")
    assert reader.query() == "select * from platform.port_quality limit 100"


def test_internal_models_are_not_found_and_say_that_they_are_hidden(reader: Reader) -> None:
    found = [str(result.get_attribute("href")).split(".")[-1] for result in reader.search("publications")]
    assert "publications" in found
    assert not [name for name in found if name.startswith(("stg_", "int_"))]
    reader.browser.get("about:blank")
    reader.browser.get(f"{reader.address}#!/model/model.platform.stg_records__publications")
    assert "is hidden" in reader.text_with("stg_records__publications")


@pytest.mark.parametrize("address", ["#!/overview", "#!/model/model.platform.publications"])
@pytest.mark.nightly
def test_a_phone_has_the_width_for_the_text_and_none_for_the_menu(reader: Reader, address: str) -> None:
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    reader.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        reader.open(address)
        reader.text_with("output")
        texts = [e for e in reader.browser.find_elements(By.CSS_SELECTOR, "p, td") if e.is_displayed() and e.text]
        assert texts
        assert max(e.size["width"] for e in texts) > 300
        assert not reader.browser.find_element(By.CSS_SELECTOR, ".app-menu").is_displayed()
        assert reader.browser.execute_script("return document.documentElement.scrollWidth") == 390
    finally:
        reader.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


# Serving it


def test_the_file_is_served_on_this_machine_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "static_index.html"
    file.write_text("the catalog")
    (tmp_path / "manifest.json").write_text("{}")
    with open_server(file, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_port}"
            assert server.server_address[0] == "127.0.0.1"
            with urllib.request.urlopen(f"{address}/") as response:
                assert response.read() == b"the catalog"
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"{address}/manifest.json")
            file.write_text("generated again")
            with urllib.request.urlopen(f"{address}/?utm=1") as response:
                assert response.read() == b"generated again"
        finally:
            server.shutdown()
            thread.join()


def test_without_a_catalog_serve_says_how_to_make_one(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mesh.set_up("shop")
    monkeypatch.chdir(mesh.folder)
    monkeypatch.delenv("DBT_TARGET_PATH", raising=False)
    assert call("serve") == 3
    err = capsys.readouterr().err
    assert err.startswith("There is no catalog to serve yet.\n")
    assert "target/static_index.html" in err
    assert "dbt build, then: dbt docs generate --static" in err


def test_the_catalog_is_where_dbt_puts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_TARGET_PATH", "built")
    with pytest.raises(MissingArtifactError):
        find_site(tmp_path)
    (tmp_path / "built").mkdir()
    (tmp_path / "built/static_index.html").write_text(MARK)
    assert find_site(tmp_path) == tmp_path / "built/static_index.html"


def test_a_taken_port_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dbt_project.yml").touch()
    (tmp_path / "static_index.html").write_text(MARK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert call("serve", "--port", str(port)) == 2
    assert capsys.readouterr().err == (
        f"Port {port} cannot be used: Address already in use.\n\n  next   portmesh serve --port {port + 1}\n"
    )
