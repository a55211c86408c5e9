{# The value that the engine could not cast, and commands that show its rows in the sources that a node reads; empty if
   the error is another. The rows tell their batch. #}
{% macro bad_value(node, message) %}
  {% set value = portmesh._value_of_cast(message) %}
  {% if value is none %}{{ return('') }}{% endif %}
  {% set shown = [] %}
  {% for id in portmesh._sources_read(node) if not modules.re.search('["`$\\\\\n]', value) %}
    {% do shown.append(portmesh._rows_with(graph.sources[id], value)) %}
  {% endfor %}
  {{ return("the value '" ~ portmesh.printable(value, 60) ~ "' cannot be cast"
      ~ ('; its rows: ' ~ shown[:3] | join('\n          ') if shown)) }}
{% endmacro %}

{# In the words of DuckDB, Spark and Athena. #}
{% macro _value_of_cast(message) %}
  {% set patterns = [
      'Could not convert string ["\'](.*?)["\'] to', '(?:field format|field value out of range): ["\'](.*?)["\']',
      "The value '(.*?)' of the type", "Cannot cast '(.*?)' to", 'Value cannot be cast to \\w+: (\\S+)'] %}
  {% for pattern in patterns %}
    {% set found = modules.re.search(pattern, message) %}
    {% if found %}{{ return(found.group(1)) }}{% endif %}
  {% endfor %}
  {{ return(none) }}
{% endmacro %}

{# The source tables that a node reads, directly or through models. #}
{% macro _sources_read(node) %}
  {% set ids = [] %}
  {% for read in [node] + portmesh.nodes_read(node) if not portmesh.is_port(read) or read.unique_id == node.unique_id %}
    {% do ids.extend(read.depends_on.nodes | select('in', graph.sources) | list) %}
  {% endfor %}
  {{ return(ids | unique | sort) }}
{% endmacro %}

{# Only texts can be cast wrongly; a source whose YAML lists no columns leaves the column open. #}
{% macro _rows_with(source, value) %}
  {% set names = [] %}
  {% for column in source.columns.values() if (column.data_type or 'string') == 'string' %}
    {% do names.append(column.name) %}
  {% endfor %}
  {% set text = portmesh.text_literal(value) %}
  {% set table = "{{ source('" ~ source.source_name ~ "', '" ~ source.name ~ "') }}" %}
  {{ return('dbt show --inline "select * from ' ~ table ~ ' where ' ~ text ~ ' in ('
      ~ (names | join(', ') or 'COLUMN') ~ ')"') }}
{% endmacro %}
