{# dbt-spark's macro does not escape a backslash in a description; text_literal does. #}
{% macro spark__comment_clause() %}
  {%- if config.persist_relation_docs() and model.description %}
    {{- 'comment ' ~ portmesh.text_literal(model.description) -}}
  {% endif -%}
{% endmacro %}

{# dbt-spark's macro sets a relation's description only when it creates the relation, so never for a port. It also sets
   every column's description in every run, even if it has not changed, with one commit each.
   https://github.com/dbt-labs/dbt-spark/issues/928 #}
{% macro spark__persist_docs(relation, model, for_relation, for_columns) %}
  {% if not (config.persist_relation_docs() or config.persist_column_docs()) %}{{ return('') }}{% endif %}
  {% set kept = portmesh._kept_descriptions(relation) %}
  {% if for_relation and config.persist_relation_docs() and model.description != kept.relation %}
    {% do run_query('comment on table ' ~ relation ~ ' is ' ~ portmesh.text_literal(model.description)) %}
  {% endif %}
  {% if for_columns and config.persist_column_docs() %}
    {% set columns = validate_doc_columns(relation, model.columns, kept.columns.keys() | list) %}
    {% for name, column in columns.items() if column.description != kept.columns[name | lower] %}
      {% do run_query('alter table ' ~ relation ~ ' alter column ' ~ adapter.quote(name) ~ ' comment '
          ~ portmesh.text_literal(column.description)) %}
    {% endfor %}
  {% endif %}
{% endmacro %}

{# DESCRIBE returns the columns, then a row without a name, then the properties of the table. #}
{% macro _kept_descriptions(relation) %}
  {% set kept = namespace(relation='', columns={}, past_columns=false) %}
  {% for row in run_query('describe table extended ' ~ relation).rows %}
    {% if not row['col_name'] %}{% set kept.past_columns = true %}{% endif %}
    {% if not kept.past_columns %}
      {% do kept.columns.update({row['col_name'] | lower: row['comment'] or ''}) %}
    {% elif row['col_name'] == 'Comment' %}
      {% set kept.relation = row['data_type'] %}
    {% endif %}
  {% endfor %}
  {{ return(kept) }}
{% endmacro %}
