"""A check that dbt-bouncer lacks: the name of the properties file for staging and intermediate models."""

from pathlib import PurePosixPath

from dbt_bouncer.check_framework.decorator import check, fail


@check
def check_model_property_file_name(model, *, file_name: str):
    """Models must be described in a properties file of this name."""
    got = PurePosixPath((model.patch_path or "").split("://")[-1]).name
    if got != file_name:
        fail(f"`{model.name}` is described in `{got or 'no file'}`, not in `{file_name}`.")
