{# What is wrong with the lists `consumers` and `agreements` in a port's config.meta. #}
{% macro problems_in_lists(meta) %}
  {% set problems = [] %}
  {% for key, form, find_problems in [
      ('consumers', '{name, purpose, until}', portmesh._consumer_problems),
      ('agreements', '{from, with, reason}', portmesh._agreement_problems)] %}
    {% set given = meta[key] or [] %}
    {% if given is mapping or given is string or given is not sequence %}
      {% do problems.append(key ~ ' is not a list of ' ~ form) %}
    {% else %}
      {% for one in given %}{% do problems.extend(find_problems(one)) %}{% endfor %}
    {% endif %}
  {% endfor %}
  {{ return(problems) }}
{% endmacro %}

{% macro _consumer_problems(consumer) %}
  {% if consumer is not mapping %}
    {{ return(['the consumer ' ~ consumer ~ ' must be written as {name: ' ~ consumer ~ ', purpose: ...}']) }}
  {% endif %}
  {% set name, until = consumer.name, consumer.until %}
  {% set problems = [] %}
  {% if until and not portmesh.is_date(until) %}
    {% do problems.append('until of ' ~ name ~ ' is ' ~ until ~ ', not a date like 2027-06-30') %}
  {% endif %}
  {{ return(problems) }}
{% endmacro %}

{% macro _agreement_problems(agreement) %}
  {% set is_list = agreement is mapping and agreement.with is sequence and agreement.with is not string %}
  {% if not is_list or not agreement.from or not agreement.reason %}
    {{ return(['the agreement ' ~ agreement ~ ' must look like {from: 1.0.0, with: [<consumers>], reason: ...}']) }}
  {% endif %}
  {{ return([]) }}
{% endmacro %}
