{# [{change, column, data_type}] that make the published columns those of the contract, `change` being add or widen: what no
   reader can break on. Anything else is refused before a row is written, unless the contract records an agreement about it,
   and is {change: replace} then: the port is built anew. The published contract stands in the records; of versions that were
   published before it did, the columns are asked from the engine. #}
{% macro compare_contracts(port, current) %}
  {% if not current %}{{ return([]) }}{% endif %}
  {% set published = portmesh.published_contract(port, current) %}
  {% set changes, breaks = portmesh._changed_columns(port, published.columns), [] %}
  {% for change in changes if change.breaks %}{% do breaks.append(change) %}{% endfor %}
  {% if published.key and portmesh.contract_key(port) | sort != published.key | sort %}
    {% do breaks.append({'column': 'the key', 'now': portmesh.contract_key(port) | join(', ') or 'none', 'before': published.key | join(', ')}) %}
  {% endif %}
  {% if not breaks %}{{ return(changes) }}{% endif %}
  {% if not portmesh._agreement(port, current) %}{% do portmesh._refuse_breaks(port, current, breaks) %}{% endif %}
  {% if port.unique_key and not should_full_refresh() %}{% do portmesh._ask_for_full_refresh(port) %}{% endif %}
  {{ return([{'change': 'replace'}]) }}
{% endmacro %}

{# The columns that differ: {column, data_type, change}, or {column, breaks, now, before}. #}
{% macro _changed_columns(port, published) %}
  {% set have, changes = {}, [] %}
  {% for column in published %}{% do have.update({column.name | lower: column.data_type}) %}{% endfor %}
  {% for column in port.columns %}
    {% set old = have.pop(column.name | lower, none) %}
    {% if old is none %}
      {% do changes.append({'change': 'add', 'column': column.name, 'data_type': column.data_type}) %}
    {% elif portmesh.is_wider(old, column.data_type) %}
      {% do changes.append({'change': 'widen', 'column': column.name, 'data_type': column.data_type}) %}
    {% elif portmesh.stored_type(old) != portmesh.stored_type(column.data_type) %}
      {% do changes.append({'breaks': true, 'column': column.name, 'now': column.data_type, 'before': old}) %}
    {% endif %}
  {% endfor %}
  {% for name, type in have.items() %}{% do changes.append({'breaks': true, 'column': name, 'now': 'not declared', 'before': type}) %}{% endfor %}
  {{ return(changes) }}
{% endmacro %}

{# Iceberg's and Athena's widenings. https://iceberg.apache.org/spec/#schema-evolution #}
{% macro is_wider(old, new) %}
  {% set whole = ['tinyint', 'smallint', 'int', 'bigint'] %}
  {% if old in whole and new in whole %}{{ return(whole.index(new) > whole.index(old) and portmesh.stored_type(old) != portmesh.stored_type(new)) }}{% endif %}
  {% set before = modules.re.match('^decimal\\((\\d+),(\\d+)\\)$', old) %}
  {% set after = modules.re.match('^decimal\\((\\d+),(\\d+)\\)$', new) %}
  {{ return(before and after and before.group(2) == after.group(2) and after.group(1) | int > before.group(1) | int) }}
{% endmacro %}

{# {columns: [{name, data_type}], key: [names]}. #}
{% macro published_contract(port, current) %}
  {% if current.contract %}{{ return(fromjson(current.contract)) }}{% endif %}
  {% set columns = [] %}
  {% for column in portmesh.table_columns(portmesh.published_rows(port, current)) %}
    {% do columns.append({'name': column.name, 'data_type': portmesh.portable_type(column.type)}) %}
  {% endfor %}
  {{ return({'columns': columns, 'key': []}) }}
{% endmacro %}

{# The contract as the records keep it; for whom and until when the port is there, which `retire` asks. #}
{% macro contract_of(port) %}
  {% set columns = [] %}
  {% for column in port.columns %}{% do columns.append({'name': column.name, 'data_type': column.data_type}) %}{% endfor %}
  {% set consumers = [] %}
  {% for consumer in portmesh.consumers_of(port.node) %}{% do consumers.append({'name': consumer.name, 'until': (consumer.until or '') | string}) %}{% endfor %}
  {{ return({
      'columns': columns, 'key': portmesh.contract_key(port), 'unique_key': port.unique_key,
      'consumers': consumers, 'deprecation_date': portmesh.deprecation_date(port.node)}) }}
{% endmacro %}

{# What a row is found by: the primary key, else the unique_key. #}
{% macro contract_key(port) %}
  {% for constraint in port.node.constraints or [] if constraint.type == 'primary_key' %}{{ return(constraint.columns or []) }}{% endfor %}
  {% set key = [] %}
  {% for column in port.columns %}
    {% for constraint in column.constraints or [] if constraint.type == 'primary_key' %}{% do key.append(column.name) %}{% endfor %}
  {% endfor %}
  {{ return(key or port.unique_key) }}
{% endmacro %}

{# The agreement about this change: {from, with, reason}, `from` being the contract version that consumers read now. #}
{% macro _agreement(port, current) %}
  {% set consumers = portmesh.consumers_of(port.node) | map(attribute='name') | list %}
  {% for agreement in portmesh.meta_of(port.node).get('agreements') or [] %}
    {% set missing = consumers | reject('in', agreement.with or []) | list %}
    {% if agreement.from | string == current.contract_version and agreement.reason and not missing and port.contract_version != current.contract_version %}
      {{ return(agreement) }}
    {% endif %}
  {% endfor %}
  {{ return(none) }}
{% endmacro %}

{% macro _refuse_breaks(port, current, breaks) %}
  {% set rows = [] %}
  {% for one in breaks %}{% do rows.append([one.column, one.now, one.before]) %}{% endfor %}
  {% set consumers = portmesh.consumers_of(port.node) | map(attribute='name') | join(', ') %}
  {% do exceptions.raise_dependency_error(
      port.label ~ ' was not written: its contract (' ~ port.contract_path ~ ') takes away what consumers read.\n\n'
      ~ portmesh.text_table(['column', 'contract', 'published'], rows)
      ~ '\n\n  allowed         new columns; int to bigint; a decimal with more digits before the point'
      ~ '\n  next            publish it as a new model version beside this one (docs/playbook.md), so that readers can move;'
      ~ '\n                  or agree on it with its consumers (' ~ (consumers or 'none are listed') ~ ') and record that: raise'
      ~ '\n                  config.meta.version and add config.meta.agreements: [{from: ' ~ current.contract_version ~ ', with: ['
      ~ consumers ~ '], reason: …}]') %}
{% endmacro %}

{% macro _ask_for_full_refresh(port) %}
  {% do exceptions.raise_dependency_error(
      port.label ~ ' was not written: its contract has changed in a way that published rows cannot follow, so an increment cannot join them.\n\n'
      ~ portmesh.how_to_rebuild(port)) %}
{% endmacro %}

{# What to run for a full build of an incremental port, as its own configuration allows. #}
{% macro how_to_rebuild(port) %}
  {% if port.node.config.full_refresh is sameas false %}
    {{ return('  next   take full_refresh: false out of ' ~ port.node.original_file_path ~ ' for one run, then: dbt build --full-refresh --select ' ~ port.node.name ~ '+') }}
  {% endif %}
  {{ return('  next   dbt build --full-refresh --select ' ~ port.node.name ~ '+') }}
{% endmacro %}
