{# dbt's ref. In a unit test it also accepts rows that replace another domain's port (decision 0018). #}
{% macro ref() %}
  {% if execute and model.resource_type == 'unit_test' %}
    {% set package = varargs[0] if varargs | length == 2 else none %}
    {% set version = kwargs.get('version') or kwargs.get('v') %}
    {% set given = builtins.ref.manifest.resolve_ref(
        builtins.ref.model, varargs[-1], package, version, project_name, model.package_name) %}
    {% if given %}{{ return(builtins.ref.create_relation(given)) }}{% endif %}
  {% endif %}
  {{ return(builtins.ref(*varargs, **kwargs)) }}
{% endmacro %}
