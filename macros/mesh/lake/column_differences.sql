{# SQL that lists the columns of `these` that `others` lack or have with another type, such as "sales_value VARCHAR". #}
{% macro column_differences(these, others) -%}
  array_to_string(
    list_transform(
      list_filter(
        list_sort(list_distinct(list_concat(json_keys({{ these }}), json_keys({{ others }})))),
        lambda name: ({{ these }} ->> name) is distinct from ({{ others }} ->> name)),
      lambda name: name || ' ' || coalesce({{ these }} ->> name, 'missing')),
    ', ')
{%- endmacro %}
