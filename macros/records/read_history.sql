{# A port's history from its records: {attempts, versions, current, next_sequence}. `attempts` are all records, newest
   first. `versions` are the published ones, newest first, each followed by the one that it replaced; `current` is the
   first of them. The order comes from `sequence`, which each attempt raises by one, and never from clocks. #}
{% macro read_history(port) %}
  {% set attempts = portmesh.attempts_of([port])[port.reads_as] %}
  {% set versions = portmesh.version_chain(attempts) %}
  {{ return({
      'attempts': attempts, 'versions': versions, 'current': versions[0] if versions else none,
      'next_sequence': ((attempts[0]['sequence'] or 0) if attempts else 0) | int + 1}) }}
{% endmacro %}
