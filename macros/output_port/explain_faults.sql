{# After a run: for each port that an engine's or AWS's own error ended, what it means for consumers and what to do. The
   error itself stands in dbt's output. Portmesh's own refusals say all of this themselves. #}
{% macro explain_faults(results) %}
  {%- if not execute -%}{{- return('') -}}{%- endif -%}
  {%- do portmesh.explain_lake_faults(results) -%}
  {%- set causes = portmesh._causes_of_faults() -%}
  {%- for result in results if result.status == 'error' -%}
    {%- set message = result.message or '' -%}
    {%- if result.node.config.materialized == 'output_port' -%}
      {%- set port = portmesh.describe_port(graph.nodes[result.node.unique_id]) -%}
      {%- if port.label ~ ' was not ' not in message and not message.startswith('Compilation Error') -%}
        {%- do log(portmesh._explained_fault(port, message, causes), info=true) -%}
      {%- endif -%}
    {%- elif result.node.resource_type == 'operation' and result.node.package_name == 'portmesh' and message.startswith('Database Error') -%}
      {%- do log('The run did not begin. Consumers keep the versions they had.\n\n' ~ portmesh._cause_and_next(message, causes, 'the same command'), info=true) -%}
    {%- endif -%}
  {%- endfor -%}
{% endmacro %}

{% macro _explained_fault(port, message, causes) %}
  {% set spent = graph.get('portmesh_spent', {}).get(invocation_id, {}).get(port.id, {}) %}
  {% set step, steps = spent.get('step', 'start'), spent.get('steps', {}) %}
  {% if step == 'record' and 'publish' in steps %}
    {% set meaning = port.label ~ ' is published, and the run broke after that. Consumers read the new version, whole and audited.' %}
  {% elif step == 'publish' and not modules.re.search('already ?exists|cannot fast-forward', message, modules.re.IGNORECASE) %}
    {% set meaning = port.label ~ ' was perhaps not published: the run broke in that step. Consumers read the version they had or the new one, whole and audited.' %}
  {% else %}
    {% set meaning = port.label ~ ' was not published: the run broke. Consumers keep what they had.' %}
  {% endif %}
  {{ return(meaning ~ '\n\n  step    ' ~ step ~ '\n'
      ~ portmesh._cause_and_next(message, causes, 'dbt build --select ' ~ port.node.name ~ '+')
      ~ '; nothing needs repair') }}
{% endmacro %}

{% macro _cause_and_next(message, causes, command) %}
  {% for pattern, cause, remedy in causes if modules.re.search(pattern, message, modules.re.IGNORECASE) %}
    {{ return('  cause   ' ~ cause ~ '\n  next    ' ~ remedy ~ ', then: ' ~ command) }}
  {% endfor %}
  {{ return('  cause   see the error below, and the whole of it in logs/dbt.log\n  next    mend what it names, then: ' ~ command) }}
{% endmacro %}

{# (what the error of Spark, Athena or AWS contains, what it means, what to do); the first that fits. #}
{% macro _causes_of_faults() %}
  {{ return([
      ('ExpiredToken|token .{0,60}expired|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|SignatureDoesNotMatch|Unable to (locate|load) credentials',
       'the AWS credentials have expired, are missing or are wrong', 'sign in again (on EMR: give the cluster its role)'),
      ('AccessDenied|Access Denied|not authorized|Forbidden|Status Code: 403',
       'the role of this run may not do this: read-only bucket, or a database of another owner', 'run as the role of the port\'s domain (portmesh infra)'),
      ('already exists|AlreadyExists',
       'at the port\'s name stands what Portmesh has not made (a Hive table, a view), or another run has just made it', 'move away or drop what is no Iceberg table'),
      ('not an iceberg table|NoSuchIcebergTable',
       'at the port\'s name stands a table that is not Iceberg', 'move it away or drop it'),
      ('cannot fast-forward|branch.{0,200}does not exist|does not exist.{0,60}branch|CommitFailed|CommitStateUnknown|ConcurrentModification|VersionMismatch|ICEBERG_COMMIT_ERROR',
       'another run of this port has published or written meanwhile', 'let one scheduler run the port'),
      ('TOO_MANY_OPEN_PARTITIONS|open writers|Exceeded limit of \\d+ (open )?partitions',
       'Athena writes at most 100 partitions a statement', 'give the port fewer partitions (config partition_by)'),
      ('throttl|Rate exceeded|TooManyRequests|SlowDown|reduce your request rate|ServiceUnavailable|Status Code: 503',
       'AWS takes no more calls for now, however often they were tried again', 'use fewer threads (PORTMESH_THREADS)'),
      ('cancell?ed|bytes scanned limit',
       'the query was cancelled: by somebody, or by the work group\'s limit of bytes scanned', 'raise the limit if it is that'),
      ('failed to connect|could not connect|connect to the endpoint|Connection refused|TTransport|TSocket|Broken pipe|Connection reset',
       'the engine or AWS could not be reached', 'start the engine, check ' ~ ('PORTMESH_SPARK_HOST and PORTMESH_SPARK_PORT' if target.type == 'spark' else 'the network and AWS_REGION')),
      ('timed out|time-?out', 'an answer took too long', 'see whether the engine is overloaded'),
      ('No space left|QuotaExceeded|WRITER_\\w+_ERROR|Error committing write|FILESYSTEM_ERROR',
       'files could not be written: a full or read-only bucket, or S3 answered too late', 'make room, or run as the role of the port\'s domain (portmesh infra)'),
  ]) }}
{% endmacro %}
