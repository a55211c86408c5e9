{# The batches of a candidate's rows as a JSON list, for a port taken batch by batch (`unique_key` has _batch_id);
   none for other ports, and if the list has more than 100,000 characters, because a statement has a limit. #}
{% macro batches_of(port, candidate) %}
  {% if '_batch_id' not in port.unique_key %}{{ return(none) }}{% endif %}
  {% set rows = portmesh.query('select distinct _batch_id from ' ~ candidate ~ ' order by 1').rows %}
  {% set batches = tojson(rows | map(attribute=0) | map('string') | list) %}
  {{ return(batches if batches | length <= 100000 else none) }}
{% endmacro %}
