"""A mesh that dbt cannot parse: the error names the file, from the mesh's root."""

from __future__ import annotations

import pytest

from portmesh.dbt import parse_manifest
from portmesh.errors import FindingsError
from tests.mesh import Mesh

UNPARSED = {
    "domains/shop/models/intermediate/int_shop__broken.sql": ("select {{ nowhere(", "unexpected 'end of template'"),
    "domains/shop/models/intermediate/int_shop__broken.py": ("def model(dbt, session:", "'(' was never closed"),
    "domains/shop/macros/broken.sql": ("{% macro broken() %}", "Reached EOF without finding a close tag for macro"),
    "domains/shop/models/staging/broken.yml": ("models:\n  - name: [", "Error reading shop: staging/broken.yml"),
    "domains/shop/models/nameless.yml": ("models:\n  - nam: x", "The schema file at models/nameless.yml is invalid"),
    "domains/shop/dbt_project.yml": ("name: [", "did not find expected node content"),
}


@pytest.mark.thorough
def test_the_file_that_dbt_cannot_read_is_named(shop: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.folder)
    for file, (text, said) in UNPARSED.items():
        path = shop.folder / file
        before = path.read_text() if path.exists() else None
        shop.write(file, text)
        with pytest.raises(FindingsError) as refused:
            parse_manifest()
        assert said in str(refused.value)
        assert str(refused.value).count(file.rpartition("models/")[2]) == 1
        path.unlink() if before is None else path.write_text(before)
