"""Lets dbt go on from a parse that it saved, in two cases in which it does not.

A key in some YAML is no text, such as `on` without quotes: dbt writes such a key, refuses to read it, says so in its
debug log only, and parses the whole mesh for every command.

A model is new, and its YAML was there before: dbt drops the YAML of a model that does not exist, and does not take it
up again when the model comes, until somebody edits the YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial, wraps
from typing import Any

import msgpack
from dbt.artifacts.resources.base import FileHash
from dbt.contracts.files import ParseFileType, SchemaSourceFile
from dbt.parser import manifest as parsing
from dbt.parser.partial import PartialParsing

from dbt_portmesh.focus import model_of, stem_of

read_text_keys = parsing.extended_mashumuro_decoder
"""dbt's own way, which leaves msgpack's `strict_map_key` as it is."""

read_any_key = partial(msgpack.unpackb, ext_hook=parsing.extended_msgpack_decoder, raw=False, strict_map_key=False)


def add_saved_parses() -> None:
    """Change how dbt reads what it saved, and what it takes for changed."""
    parsing.extended_mashumuro_decoder = read_any_key
    if not hasattr(PartialParsing.build_file_diff, "__wrapped__"):
        PartialParsing.build_file_diff = _with_yaml_of_new_models(  # type: ignore[method-assign]
            PartialParsing.build_file_diff
        )


def _with_yaml_of_new_models(build: Any) -> Any:
    """Makes dbt forget what the YAML of a new model said, so that it counts as changed."""

    @wraps(build)
    def build_file_diff(partial_parse: PartialParsing) -> None:
        new = [file for id_, file in partial_parse.new_files.items() if id_ not in partial_parse.saved_files]
        stems = {stem_of(file) for file in new if file.parse_file_type == ParseFileType.Model}
        for file in partial_parse.saved_files.values() if stems else ():
            if isinstance(file, SchemaSourceFile):
                models = file.dict_from_yaml.get("models") or []
                forgotten = [{"name": each["name"]} if _is_of(each, stems) else each for each in models]
                if forgotten != models:
                    file.dfy = file.dict_from_yaml | {"models": forgotten}
                    file.checksum = FileHash.from_contents("")
        build(partial_parse)

    return build_file_diff


def _is_of(entry: Mapping[str, Any], stems: set[str]) -> bool:
    """Whether a model of a YAML file is one of these files, or has a version that is."""
    named = {str(each.get("defined_in")) for each in entry.get("versions") or []}
    return entry["name"] in stems | {model_of(stem) for stem in stems} or bool(named & stems)
