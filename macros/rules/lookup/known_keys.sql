{#- Portmesh's own keys, each with the keys below it.
   Written by `python -m tools.schema` from src/portmesh/keys.py. -#}
{% macro known_keys(of) %}
  {{- return((
      {'port': {'version': {}, 'classification': {}, 'subject': {'entity': {}, 'key': {}}, 'freshness': {'column':
      {}, 'warn_after': {'count': {}, 'period': {}}, 'error_after': {'count': {}, 'period': {}}}, 'consumers':
      [{'name': {}, 'purpose': {}, 'until': {}}], 'keep_versions': {}, 'agreements': [{'from': {}, 'with': {},
      'reason': {}}], 'starts_from': {}, 'model': {'inputs': {}, 'new_batches_of': {}, 'prepare': {}, 'from': {},
      'steps': {}, 'columns': {}, 'grain': {}}, 'rows_from': {}, 'exemptions': [{'rule': {}, 'reason': {}, 'until':
      {}}]}, 'column': {'level': {}, 'computed_from': {}}, 'check': {'dimension': {}, 'row_wise': {}, 'exemptions':
      [{'rule': {}, 'reason': {}, 'until': {}}]}, 'product': {'kind': {}, 'stage': {}, 'engine': {}, 'purpose': {},
      'channel': {}, 'schedule': {}, 'starts_on': {}, 'timeout': {}, 'late_after': {}, 'retries': {}, 'upkeep': {},
      'agreements': [{'port': {}, 'version': {}, 'by': {}, 'date': {}, 'note': {}}], 'exemptions': [{'rule': {},
      'reason': {}, 'until': {}}]}, 'owner': {'name': {}, 'email': {}, 'github': {}}, 'exposure': {'agreements':
      [{'port': {}, 'version': {}, 'by': {}, 'date': {}, 'note': {}}]}, 'source': {'classification': {},
      'external_location': {}, 'formatter': {}, 'landing': {'format': {}, 'delimiter': {}, 'encoding': {},
      'decimal': {}, 'thousands': {}, 'currency': {}, 'dates': {}, 'timestamps': {}, 'nulls': {}, 'true_values': {},
      'false_values': {}, 'header': {}, 'quote': {}, 'skip_rows': {}, 'new_columns': {}, 'missing_columns': {},
      'bad_rows': {}, 'key': {}}, 'exemptions': [{'rule': {}, 'reason': {}, 'until': {}}]}, 'source_column':
      {'level': {}, 'from': {}}}
  )[of]) -}}
{% endmacro %}
