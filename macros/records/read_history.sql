{# What the records tell of a port: {attempts, versions, current, next_sequence}. `attempts` are all records, the
   newest first; `versions` the chain of published ones, the newest first, each followed by the one that it replaced;
   `current` the first of them. The order is that of `sequence`, which each attempt takes one higher than it found,
   never that of clocks. #}
{% macro read_history(port) %}
  {% set attempts = portmesh.attempts_of([port])[port.reads_as] %}
  {% set versions = portmesh.version_chain(attempts) %}
  {{ return({
      'attempts': attempts, 'versions': versions, 'current': versions[0] if versions else none,
      'next_sequence': ((attempts[0]['sequence'] or 0) if attempts else 0) | int + 1}) }}
{% endmacro %}
