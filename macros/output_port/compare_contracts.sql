{# The changes that turn the published columns into the contract's: [{change, column, data_type}], where `change` is add
   or widen, which cannot break a reader. Any other difference is refused before a row is written, unless the contract
   has an agreement about it: then the result is [{change: replace}], and the port is rebuilt. The published contract
   comes from the records; for older versions recorded without it, the columns come from the engine. #}
{% macro compare_contracts(port, current) %}
  {% if not current %}{{ return([]) }}{% endif %}
  {% set published, key = portmesh.published_contract(port, current), portmesh.contract_key(port) %}
  {% set changes = portmesh.changed_columns(port, published.columns) %}
  {% set breaks = changes | selectattr('breaks', 'defined') | list %}
  {% if published.key and key | sort != published.key | sort %}
    {% set before = published.key | join(', ') %}
    {% do breaks.append({'column': 'the key', 'now': key | join(', ') or 'none', 'before': before}) %}
  {% endif %}
  {% if not breaks %}{{ return(changes) }}{% endif %}
  {% if not portmesh._has_agreement(port, current) %}{% do portmesh._refuse_breaks(port, current, breaks) %}{% endif %}
  {% if port.unique_key and not should_full_refresh() %}{% do portmesh._ask_for_full_refresh(port) %}{% endif %}
  {{ return([{'change': 'replace'}]) }}
{% endmacro %}

{# Whether every consumer agreed to this change: in its own folder, or by the port's agreement {from, with, reason},
   whose `from` must be the version that consumers read now. #}
{% macro _has_agreement(port, current) %}
  {% if port.contract_version == current.contract_version %}{{ return(false) }}{% endif %}
  {% set own, names = [], portmesh._who_agreed(port) %}
  {% for agreement in portmesh.meta_of(port.node).get('agreements') or []
      if agreement.reason and agreement.from | string == current.contract_version %}
    {% do own.append(agreement) %}
    {% do names.extend(agreement.with or []) %}
  {% endfor %}
  {% set consumers = portmesh.consumers_of(port.node) | map(attribute='name') | list %}
  {{ return((own or consumers) and not consumers | reject('in', names) | list) }}
{% endmacro %}

{# The consumers whose own product or exposure says that they agree to this version of the port. #}
{% macro _who_agreed(port) %}
  {% set names = [] %}
  {% for node in graph.groups.values() | list + graph.exposures.values() | list %}
    {% for one in portmesh.meta_of(node).get('agreements') or []
        if one is mapping and one.port == port.label and one.version | string == port.contract_version %}
      {% do names.append(node.name) %}
    {% endfor %}
  {% endfor %}
  {{ return(names) }}
{% endmacro %}

{% macro _refuse_breaks(port, current, breaks) %}
  {% set rows = [] %}
  {% for one in breaks %}{% do rows.append([one.column, one.now, one.before]) %}{% endfor %}
  {% set consumers = portmesh.consumers_of(port.node) | map(attribute='name') | join(', ') %}
  {% do exceptions.raise_dependency_error(
      port.label ~ ' was not written: its contract (' ~ port.contract_path ~ ') would break its consumers.\n\n'
      ~ portmesh.text_table(['column', 'contract', 'published'], rows)
      ~ '\n\n  allowed         new columns; int to bigint; a decimal with more digits before the point\n'
      ~ '  next            publish it as a new model version (docs/analyst.md), so that consumers can switch'
      ~ ' later;\n'
      ~ '                  or agree on it with its consumers (' ~ (consumers or 'none are listed')
      ~ '; docs/changes.md), then raise\n'
      ~ '                  config.meta.version and add config.meta.agreements: [{from: ' ~ current.contract_version
      ~ ', with: [' ~ consumers ~ '], reason: …}]') %}
{% endmacro %}

{# Names the command for a full build. If the port has full_refresh: false, that has to be removed first. #}
{% macro _ask_for_full_refresh(port) %}
  {% set is_forbidden = port.node.config.full_refresh is sameas false %}
  {% do exceptions.raise_dependency_error(
      port.label ~ ' was not written: the published rows no longer fit its contract,'
      ~ ' so an increment cannot be added to them.\n\n  next   '
      ~ ('remove full_refresh: false from ' ~ port.node.original_file_path ~ ' for one run, then: ' if is_forbidden)
      ~ portmesh.build_command(port.node, '--full-refresh')) %}
{% endmacro %}
