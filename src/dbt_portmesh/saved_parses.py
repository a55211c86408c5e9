"""Lets dbt read a parse that it saved although a key in some YAML is no text, such as `on` without quotes.

dbt writes such a key, refuses to read it, says so in its debug log only, and parses the whole mesh for every command.
"""

from __future__ import annotations

from functools import partial

import msgpack
from dbt.parser import manifest as parsing

read_text_keys = parsing.extended_mashumuro_decoder
"""dbt's own way, which leaves msgpack's `strict_map_key` as it is."""

read_any_key = partial(msgpack.unpackb, ext_hook=parsing.extended_msgpack_decoder, raw=False, strict_map_key=False)


def add_saved_parses() -> None:
    """Change how dbt reads what it saved."""
    parsing.extended_mashumuro_decoder = read_any_key
