{# One problem for each unknown key of a mapping and of the mappings in it, with the most similar known key.
   `known` is what known_keys returns. With `others`, a key is only wrong if it looks like a known one: a check may read
   keys of its own. #}
{% macro unknown_keys(where, given, known, others=false) %}
  {% set problems = [] %}
  {% for key, value in given.items() if value is not none or key not in known %}
    {% if key is not string %}
      {% do problems.append(portmesh._no_text(where, key)) %}
    {% elif key not in known %}
      {% set near = portmesh.nearest_name(key, known) %}
      {% set listed = ' (known: ' ~ (known | join(', ') or 'none') ~ ')' %}
      {% do problems.append(where ~ ' has the unknown key ' ~ key
          ~ ('; did you mean ' ~ near ~ '?' if near else listed)) if near or not others %}
    {% elif known[key] is mapping and known[key] and value is mapping %}
      {% set label = (where ~ '.' ~ key) | replace('config.meta.', '') %}
      {% do problems.extend(portmesh.unknown_keys(label, value, known[key])) %}
    {% elif known[key] is not mapping and value is not mapping and value is iterable and value is not string %}
      {% for one in value if one is mapping %}
        {% set label = ('the ' ~ key[:-1] ~ ' ' ~ (one.name or one.from or one.rule or one.port)) | trim %}
        {% do problems.extend(portmesh.unknown_keys(label, one, known[key][0])) %}
      {% endfor %}
    {% endif %}
  {% endfor %}
  {{ return(problems) }}
{% endmacro %}

{% macro _no_text(where, key) %}
  {{ return(where ~ ' has the key ' ~ key ~ ', which is no text:'
      ~ (' YAML reads on, off, yes and no as true and false' if key is boolean else ' put it in quotes')) }}
{% endmacro %}
