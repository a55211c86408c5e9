"""Text from a mesh is always shown as text: in dbt's files, on the generated pages and in a reader's browser."""

from __future__ import annotations

import html
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from dbt.clients.jinja import get_rendered
from dbt.task.docs import DOCS_INDEX_FILE_PATH
from dbt_common.clients._jinja_blocks import BlockIterator, BlockTag, TagIterator
from markdown_it import MarkdownIt
from selenium.webdriver.common.by import By

from dbt_portmesh import make_pages_safe
from portmesh.catalog.markdown import cell, code, docs_block, link, paragraph, plain
from portmesh.catalog.viewer import is_safe, make_page
from portmesh.errors import MissingArtifactError
from tests.mesh import Mesh
from tests.portmesh_call import Portmesh, call, captured
from tests.reader import Reader, reader_of

pytestmark = pytest.mark.thorough

LINES_YML = "domains/shop/models/output_ports/lines.yml"
HOSTILE = {
    "script": "</script><script>window.hit = 1</script>",
    "comment": "<!-- <script> window.hit = 1",
    "image": '<img src=x onerror="window.hit = 1">',
    "link": "[press](javascript:window.hit=1) <a href='javascript:window.hit=1'>a</a>",
    "angular": "{{ constructor.constructor('window.hit = 1')() }}",
    "data": "CATALOG.JSON INLINE DATA",
    "raw": "{% raw %}\n{{ x }}\n{% endraw %} {%- endraw -%} {%+ endraw %}",
    "docs": "{% docs __overview__ %} mine {% enddocs %}",
    "tags": "{# {{ {% %} }} #}",
    "pipes": r"a | b \| c \\| d `e | f`",
    "backslashes": r"C:\new\u0041 \_x\_ \\",
    "lines": "one\ntwo\n\n# three\n```\nfour",
    "markdown": "**_~~` [x] ![y](z) <b> &lt; &amp; *",
    "letters": "größe 価格 🛒 \u2028 \u00a0 e\u0301",
}
PIECES = [*HOSTILE.values(), *"|`\\*_[]()<>&;#{}%~!-:'\"\n x1é", "{{", "}}", "{%", "%}", "{#", "#}", "&lt;", "endraw"]


def texts(number: int) -> Iterator[str]:
    """The hostile texts, then random texts that are the same in every run."""
    yield from HOSTILE.values()
    chance = random.Random(11)
    for _ in range(number):
        yield "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 8)))


# What is written into a page


def test_any_text_comes_out_of_a_docs_block_as_it_went_in() -> None:
    for text in texts(2_000):
        page = docs_block("shop__lines", text) + "\n" + docs_block("__shop__", f"# Shop\n{text}\n\nEnd.")
        blocks = BlockIterator(TagIterator(page)).lex_for_blocks({"docs"}, collect_raw_data=False)
        tags = [block for block in blocks if isinstance(block, BlockTag)]
        assert [tag.block_name for tag in tags] == ["shop__lines", "__shop__"], text
        read = [get_rendered(tag.contents or "", {}).strip() for tag in tags]
        assert read == [text.strip(), f"# Shop\n{text}\n\nEnd."], text


def cells_of(row: str) -> list[str]:
    """The texts of a row's cells as a reader sees them, rendered by markdown-it instead of the page's own Markdown."""
    table = MarkdownIt("commonmark", {"html": False}).enable("table").render(f"| a | b |\n|---|---|\n{row}\n")
    assert table.count("<tr>") == 2, row
    return [html.unescape(re.sub(r"<[^>]*>", "", found)) for found in re.findall(r"<td>(.*?)</td>", table, re.S)]


@pytest.mark.parametrize("as_markdown", [plain, code])
def test_a_name_or_code_is_shown_literally_in_its_own_cell(as_markdown: object) -> None:
    assert callable(as_markdown)
    for text in texts(2_000):
        written = as_markdown(text)
        assert "|" not in written, "dbt's page ends a cell at an escaped pipe, too"
        assert cells_of(f"| {written} | next |") == [" ".join(text.split()), "next"], text


def test_prose_keeps_its_markdown_and_its_cell() -> None:
    assert cell("One **row** per `a | b` | c\\|d\n`e`") == "One **row** per a &#124; b &#124; c&#124;d `e`"
    for text in texts(2_000):
        assert "|" not in cell(text)
        assert cells_of(f"| {cell(text)} | next |")[-1] == "next", text


def test_a_paragraph_of_prose_ends_where_it_ends() -> None:
    assert paragraph("`orders` holds **all**.") == "`orders` holds **all**."
    for start in ("# x", "> x", "- x", "* x", "12. x", "1) x", "```", "~~~", "<!-- x", "<div>", "[x]: y", "===", "---"):
        page = MarkdownIt("commonmark", {"html": True}).render(f"{paragraph(start)}\n\nThe end.\n\n-->\n\n```\n")
        assert page.startswith(f"<p>{html.escape(start, quote=False)}</p>\n<p>The end.</p>"), start


def test_a_link_holds_any_name() -> None:
    assert (
        link("a](b) c", "#!/model/model.shop.größe (x)")
        == "[a&#93;(b) c](#!/model/model.shop.gr%C3%B6%C3%9Fe%20%28x%29)"
    )


# A mesh with only hostile texts


def hostile_mesh(mesh: Mesh) -> None:
    """The product shop with the port lines. README, descriptions, arguments, comments and names are hostile texts."""
    readme = "\n".join(HOSTILE.values())
    in_yaml = {name: re.sub(r"{(?=[{%#])", "{{ '{' }}", text) for name, text in HOSTILE.items()}
    everything = "\n".join(in_yaml.values())
    mesh.set_up("shop", root={"on-run-start": []})
    meta = {
        "version": everything,
        "classification": everything,
        "subject": {"entity": everything, "key": everything},
        "consumers": [{"name": text, "purpose": text} for text in in_yaml.values()],
    }
    column = {
        "name": "line_id",
        "data_type": "bigint",
        "description": everything,
        "data_tests": [
            {
                "accepted_values": {
                    "name": f"ok_{name}",
                    "arguments": {"values": [text]},
                    "config": {"where": "a || 'b'"},
                }
            }
            for name, text in in_yaml.items()
        ],
    }
    page = "\n\n{{ doc('shop__gr_u00f6_u00dfe') }}"
    port = {"name": "größe", "description": everything + page, "config": {"meta": meta}, "columns": [column]}
    folder = mesh.folder / "domains/shop"
    (folder / "models/output_ports").mkdir()
    (folder / "models/output_ports/größe.yaml").write_text(yaml.safe_dump({"models": [port]}))
    sql = "\n".join(f"-- {text}" for text in readme.splitlines() if "{" not in text)
    (folder / "models/output_ports/größe.sql").write_text(
        f"{sql}\nselect line_id from {{{{ source('raw', 'lines') }}}}"
    )
    (folder / "README.md").write_text(f"# Shop\n\n## How to read it\n\n{readme}\n```\n")
    group = yaml.safe_load((folder / "models/shop.yml").read_text())["groups"][0]
    group["description"] = readme  # dbt does not render this text
    group["owner"]["name"] = everything
    group["config"]["meta"] = dict.fromkeys(["kind", "stage", "engine", "purpose", "channel"], everything)
    (folder / "models/shop.yml").write_text(yaml.safe_dump({"groups": [group]}))
    (folder / "models/staging/_sources.yml").write_text(
        yaml.safe_dump({"sources": [{"name": "raw", "tables": [{"name": "lines", "description": everything}]}]})
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with pytest.MonkeyPatch.context() as patch:
        mesh = Mesh(tmp_path_factory.mktemp("hostile"))
        patch.chdir(mesh.folder)
        patch.delenv("DBT_TARGET_PATH", raising=False)
        hostile_mesh(mesh)
        assert mesh.dbt("deps").ok
        assert call("catalog") == 0
        yield mesh


def test_dbt_reads_the_pages_of_hostile_text_and_they_are_in_step(hostile: Mesh) -> None:
    assert call("catalog", "--check") == 0
    assert hostile.dbt("parse").ok
    text = (hostile.folder / "docs/catalog/shop.md").read_text()
    assert "{% docs shop__gr_u00f6_u00dfe %}" in text
    tables = [line for line in text.splitlines() if line.startswith("| ") and line.endswith(" |")]
    assert len(tables) > 2 * len(HOSTILE)
    assert {line.count("|") for line in tables} <= {3, 4, 6, 7}, "no text adds a cell"


@pytest.fixture(scope="module")
def site(hostile: Mesh) -> Path:
    """The catalog that plain dbt writes."""
    outcome = hostile.dbt("docs", "generate", "--static", "--empty-catalog")
    assert outcome.ok, outcome.output
    return hostile.folder / "target/static_index.html"


@pytest.fixture(scope="module")
def reader(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with reader_of(site, tmp_path_factory.mktemp("browser")) as found:
        yield found


def test_no_text_ends_the_script_that_holds_it(site: Path) -> None:
    page = site.read_text()
    assert len(re.findall("</script", page)) == 2, "the page's two scripts end where they end"
    assert '"resource_type"' not in re.sub(r"<script.*?</script>", "", page, flags=re.S)
    assert [is_safe(site.with_name(name)) for name in ("index.html", "static_index.html")] == [True, True]


@pytest.mark.parametrize("address", ["#!/overview", "#!/overview/shop", "#!/model/model.shop.größe"])
def test_a_page_of_hostile_text_opens_and_nothing_of_it_runs(reader: Reader, address: str) -> None:
    reader.open(address)
    text = reader.text_with("window.hit = 1")
    assert HOSTILE["script"] in text
    assert HOSTILE["image"] in text
    assert HOSTILE["angular"] in text
    assert "größe" in text
    assert reader.browser.execute_script("return window.hit") is None
    assert not reader.browser.find_elements(By.CSS_SELECTOR, "img[src='x'], a[href^='javascript']")


def test_a_search_shows_hostile_text_and_nothing_of_it_runs(reader: Reader) -> None:
    reader.search("onerror")
    text = reader.text_with("onerror")
    assert "<img src=x onerror=" in text
    assert reader.browser.find_elements(By.CSS_SELECTOR, ".search-result-match"), "what was searched for is marked"
    assert reader.browser.execute_script("return window.hit") is None
    assert not reader.browser.find_elements(By.CSS_SELECTOR, "img[src='x']")


def test_the_page_runs_no_script_but_its_own(reader: Reader) -> None:
    """Even if HTML gets into the page, it cannot run: the page lists the hashes of its scripts."""
    reader.open("#!/overview")
    reader.text_with("window.hit = 1")
    reader.browser.execute_async_script(
        """
        const done = arguments[0], box = document.createElement("div");
        document.body.append(box);
        box.innerHTML = '<img src=x onerror="window.hit = 1"><a href="javascript:window.hit=1">x</a>';
        box.querySelector("a").click();
        const script = document.createElement("script");
        script.textContent = "window.hit = 1";
        box.append(script);
        setTimeout(done, 200);
        """
    )
    assert reader.browser.execute_script("return window.hit") is None


# Pages of other packages


@pytest.fixture
def portmesh(capsys: pytest.CaptureFixture[str]) -> Portmesh:
    return captured(capsys)


@pytest.fixture
def shop(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """A mesh with the products shop and desk and an up-to-date catalog."""
    mesh.set_up("shop", "desk", root={"on-run-start": []})
    mesh.port("shop/lines", "select line_id from {{ source('raw', 'lines') }}", "- {name: line_id, data_type: bigint}")
    path = mesh.folder / LINES_YML
    path.write_text(path.read_text().replace("lines.\n", "lines.\n\n      {{ doc('shop__lines') }}\n", 1))
    path.write_text(path.read_text().replace("description: One", "description: |\n      One", 1))
    mesh.write("domains/desk/models/intermediate/int_desk__lines.sql", "select * from {{ ref('shop', 'lines') }}")
    assert mesh.dbt("deps").ok
    monkeypatch.chdir(mesh.folder)
    monkeypatch.delenv("DBT_TARGET_PATH", raising=False)
    return mesh


def test_domains_blocks_in_the_place_of_pages_are_found(shop: Mesh, portmesh: Portmesh) -> None:
    assert portmesh("catalog").exit_code == 0
    blocks = {"desk/a": "__overview__", "desk/b": "__shop__", "desk/c": "__portmesh__", "desk/d": "shop__lines"}
    for file, block in blocks.items():
        shop.write(
            f"domains/{file.replace('/', '/models/')}.md", f"{{% docs {block} %}}\nAll is mine.\n{{% enddocs %}}\n"
        )
    found = portmesh("catalog", "--check")
    assert found.exit_code == 1
    assert found.err == (
        "The catalog is out of date: 4 findings.\n\n"
        "  domains/desk/models/a.md   rename its docs block __overview__: that is the name of the mesh's home page\n"
        "  domains/desk/models/b.md   rename its docs block __shop__: that is the name of the page of shop\n"
        "  domains/desk/models/c.md   rename its docs block __portmesh__: that is the name of the page of portmesh\n"
        "  domains/desk/models/d.md   rename its docs block shop__lines: that is the name of the page of shop.lines\n"
        "  next                       fix the lines above, and commit the files\n"
    )


def test_a_domains_own_blocks_are_its_own(shop: Mesh, portmesh: Portmesh) -> None:
    shop.write("domains/desk/models/notes.md", "{% docs desk__words %}\nOurs.\n{% enddocs %}\n")
    shop.write(
        "domains/desk/models/_m.yaml", "models: [{name: int_desk__lines, description: \"{{ doc('desk__words') }}\"}]"
    )
    assert portmesh("catalog").exit_code == 0
    assert portmesh("catalog", "--check").exit_code == 0
    assert shop.dbt("parse").ok


def test_a_readers_home_is_the_meshs_whatever_a_package_says(
    shop: Mesh, portmesh: Portmesh, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert portmesh("catalog").exit_code == 0
    for block in ("overview", "shop"):
        shop.write(f"domains/desk/models/{block}.md", f"{{% docs __{block}__ %}}\nAll is mine.\n{{% enddocs %}}\n")
    assert shop.dbt("docs", "generate", "--static", "--empty-catalog").ok
    with reader_of(shop.folder / "target/static_index.html", tmp_path_factory.mktemp("browser")) as reader:
        reader.open("#!/overview")
        assert "All is mine." not in reader.text_with("2 data products with 1 output port")
        reader.open("#!/overview/shop")
        assert "All is mine." not in reader.text_with("The product shop.")


def test_an_included_page_that_does_not_exist_is_found(shop: Mesh, portmesh: Portmesh) -> None:
    path = shop.folder / LINES_YML
    path.rename(path.with_suffix(".yaml"))
    path = path.with_suffix(".yaml")
    path.write_text(path.read_text().replace("shop__lines", "shop__line"))
    found = portmesh("catalog")
    assert found.exit_code == 0
    out = " ".join(found.out.split())
    assert (
        "domains/shop/models/output_ports/lines.yaml there is no page doc('shop__line'); did you mean shop__lines?"
        in out
    )
    assert portmesh("catalog", "--check").exit_code == 1


def test_a_product_has_a_page_of_its_own(mesh: Mesh, monkeypatch: pytest.MonkeyPatch, portmesh: Portmesh) -> None:
    mesh.set_up("overview", root={"on-run-start": []})
    assert mesh.dbt("deps").ok
    monkeypatch.chdir(mesh.folder)
    found = portmesh("catalog")
    assert found.exit_code == 1
    assert found.err == (
        "The catalog cannot be written: the page of overview and the mesh's home page would have the same name.\n\n"
        "  docs block   __overview__\n"
        "  next         rename overview\n"
    )


# `portmesh catalog` repairs broken pages


def test_pages_that_dbt_cannot_read_are_written_again(shop: Mesh, portmesh: Portmesh) -> None:
    assert portmesh("catalog").exit_code == 0
    folder = shop.folder / "docs/catalog"
    (folder / "overview.md").write_text("{% docs __overview__ %}\n{% endraw %}")
    (folder / "shop.md").write_text("{% docs a %}{% docs b %}")
    (folder / "desk.md").write_bytes("größe".encode("latin-1"))
    assert not shop.dbt("parse").ok
    found = portmesh("catalog", "--check")
    assert found.exit_code == 1
    assert found.err.count("   out of date\n") == 3
    assert portmesh("catalog").exit_code == 0
    assert portmesh("catalog", "--check").exit_code == 0
    assert shop.dbt("parse").ok


def test_where_the_mesh_cannot_be_read_every_file_is_as_it_was(shop: Mesh, portmesh: Portmesh) -> None:
    assert portmesh("catalog").exit_code == 0
    shop.write("domains/shop/models/staging/stg_raw__x.sql", "select * from {{ ref('nothing') }}")
    before = {path: path.read_bytes() for path in shop.folder.rglob("docs/**/*") if path.is_file()}
    found = portmesh("catalog")
    assert found.exit_code == 1
    assert "depends on a node named 'nothing' which was not found" in found.err
    assert {path: path.read_bytes() for path in shop.folder.rglob("docs/**/*") if path.is_file()} == before
    assert len(before) == 3


def test_a_readme_that_is_not_utf_8_is_a_sentence(shop: Mesh, portmesh: Portmesh) -> None:
    (shop.folder / "domains/shop/README.md").write_bytes("# Shop\n\n## Größe".encode("latin-1"))
    found = portmesh("catalog")
    assert found.exit_code == 1
    assert found.err == (
        "A README is not encoded in UTF-8.\n\n  file   domains/shop/README.md\n  line   3\n  next   save it as UTF-8\n"
    )


# dbt's page


def test_a_page_of_dbt_that_is_built_otherwise_is_refused() -> None:
    viewer = Path(DOCS_INDEX_FILE_PATH).read_text()
    assert make_page(viewer, "{}", "{}").count("JSON.parse(") >= 2
    with pytest.raises(MissingArtifactError, match="it has no place for the data"):
        make_page(viewer.replace("CATALOG.JSON", "X"), "{}", "{}")
    with pytest.raises(MissingArtifactError, match="it does not have exactly one script"):
        make_page(viewer + "<script></script>")


def test_a_page_that_cannot_be_made_safe_is_deleted(tmp_path: Path) -> None:
    viewer = Path(DOCS_INDEX_FILE_PATH).read_text()
    shutil.copy(DOCS_INDEX_FILE_PATH, tmp_path / "static_index.html")
    with pytest.raises(FileNotFoundError):
        make_pages_safe(tmp_path, viewer)
    assert list(tmp_path.iterdir()) == []


def test_a_catalog_of_a_dbt_without_portmesh_is_not_served(shop: Mesh, portmesh: Portmesh) -> None:
    (shop.folder / "target").mkdir(exist_ok=True)
    shutil.copy(DOCS_INDEX_FILE_PATH, shop.folder / "target/static_index.html")
    found = portmesh("serve")
    assert found.exit_code == 3
    assert found.err.startswith(
        "The catalog was written without Portmesh, so text from the mesh could run as a script in a browser.\n"
    )
    assert "dbt docs generate --static" in found.err
