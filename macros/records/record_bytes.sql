{# Adds bytes that the engine reported later to records that have none: [{product, run, port, bytes, audit_bytes}]. #}
{% macro record_bytes(publications) %}
  {% for product, of_product in publications | groupby('product') if portmesh.has_records(product) %}
    {% set rows = [] %}
    {% for one in of_product %}
      {% do rows.append(portmesh.literal_row([one.run, one.port, one.bytes | int, one.audit_bytes | int])) %}
    {% endfor %}
    {% do portmesh.make_records_of(product) %}
    {% do portmesh.execute_sql(
        'merge into ' ~ portmesh.record_table('publications', product) ~ ' as recorded using (select * from (values '
        ~ rows | join(', ') ~ ') as rows_told (run, port, bytes, audit_bytes)) as told'
        ~ ' on recorded.invocation_id = told.run and recorded.port_id = told.port and recorded.bytes_scanned is null'
        ~ ' when matched then update set bytes_scanned = told.bytes, audit_bytes_scanned = told.audit_bytes') %}
  {% endfor %}
{% endmacro %}
