"""A check that dbt-bouncer lacks: the allowed model names of each folder. One check, because a folder may not exist."""

import re

from dbt_bouncer.check_framework.decorator import check, fail


@check
def check_internal_model_name(model, *, pattern: str):
    """Staging and intermediate models must match this regex as `<folder>/<name>`."""
    got = f"{model.original_file_path.split('/')[1]}/{model.name}"
    if not re.fullmatch(pattern, got):
        fail(f"`{got}` is neither `staging/stg_<source>__<entity>` nor `intermediate/int_<domain>__<entity>_<verb>`.")
