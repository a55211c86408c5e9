{# The table of a domain's records in this environment. A domain's runs write only to the domain's own table (decision
   0022). Without a product: the table of an earlier Portmesh version, which had the records of all domains. #}
{% macro record_table(name, product=none) %}
  {%- set identifier = (name ~ '__' ~ product) | lower if product else name -%}
  {{- return(api.Relation.create(
      database=target.get('database'), schema=environment_schema('portmesh'), identifier=identifier, type='table')) -}}
{% endmacro %}
