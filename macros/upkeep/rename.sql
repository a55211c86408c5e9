{# Gives a renamed port, or all ports of a renamed domain, the rows published under the old name: `<domain>.<old>` to
   `<domain>.<new>`, or one domain to another. The new names must have models but no history; the old names must have
   history but no models. #}
{% macro rename(old, new, confirmed=false) %}
  {% for pair in portmesh._pairs_to_rename(old, new) %}
    {% if confirmed %}
      {% do portmesh._make_place(pair.port) %}
      {% do portmesh.start_port(pair.port, pair.other) %}
    {% endif %}
    {% do log(pair.other.reads_as ~ (' continues as ' if confirmed else ' would continue as ') ~ pair.port.reads_as
        ~ ' (' ~ '{:,}'.format(pair.other.current.row_count) ~ ' rows).', info=true) %}
  {% endfor %}
  {% do log('\n  readers   of the old name ' ~ ('keep' if confirmed else 'would keep')
      ~ ' the current rows, which no build updates any more\n  next      '
      ~ ('once they read the new name: portmesh retire ' ~ old if confirmed
         else 'portmesh rename ' ~ old ~ ' ' ~ new ~ ' --yes'), info=true) %}
{% endmacro %}

{# Creates the schemas and record tables, because a renamed domain may not have been built yet. #}
{% macro _make_place(port) %}
  {% set existing = portmesh.existing_schemas() %}
  {% for schema in [port.relation.schema, port.internal_schema] if schema not in existing %}
    {% do create_schema(api.Relation.create(database=port.relation.database, schema=schema)) %}
  {% endfor %}
  {% do portmesh.make_records_of(port.product) %}
{% endmacro %}

{# [{port, other}] for each port to rename. Raises if any of them cannot be renamed. #}
{% macro _pairs_to_rename(old, new) %}
  {% set by_name, pairs, rows, unmade = {}, [], [], portmesh.unmade_ports() %}
  {% for port in portmesh.all_ports() %}{% do by_name.update({port.reads_as: port, port.label: port}) %}{% endfor %}
  {% for other in unmade if other.current and (other.reads_as == old or ('.' not in old and other.product == old)) %}
    {% set name = new if '.' in new else new ~ '.' ~ other.alias %}
    {% do pairs.append({'port': by_name.get(name), 'other': other}) %}
    {% set problem = portmesh._why_not_renamed(by_name.get(name)) %}
    {% if problem %}{% do rows.append([other.reads_as, name, problem]) %}{% endif %}
  {% endfor %}
  {% if not pairs and old in by_name %}{% do portmesh._refuse_own_name(by_name[old], old, new) %}{% endif %}
  {% if not pairs %}{% do portmesh.refuse_unknown_name(old, 'rename', unmade) %}{% endif %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        old ~ ' was not renamed.\n\n' ~ portmesh.text_table(['from', 'to', 'problem'], rows)) %}
  {% endif %}
  {{ return(pairs) }}
{% endmacro %}

{% macro _why_not_renamed(port) %}
  {% if not port %}
    {{ return('no model builds it: rename its files first, or rename the other ports one by one') }}
  {% endif %}
  {% set current = portmesh.read_history(port).current %}
  {{ return('it already has published rows (' ~ '{:,}'.format(current.row_count) ~ '), which would be lost. To give'
      ~ ' them up, remove its files, run portmesh retire ' ~ port.reads_as ~ ' --yes, and restore the files'
      if current else '') }}
{% endmacro %}

{% macro _refuse_own_name(port, old, new) %}
  {% do exceptions.raise_dependency_error(
      old ~ ' was not renamed: its model still has that name.\n\n  next   rename the model and its files ('
      ~ port.contract_path ~ ') to ' ~ new.split('.')[-1] ~ ', then, before the next build: portmesh rename '
      ~ old ~ ' ' ~ new) %}
{% endmacro %}
