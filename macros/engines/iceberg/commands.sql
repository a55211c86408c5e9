{# The catalog is one for all, and neither engine sees the files of this checkout. #}
{% macro iceberg__database_problem() %}{{ return('') }}{% endmacro %}

{% macro iceberg__old_packages() %}{{ return([]) }}{% endmacro %}

{# Of Spark and Athena, and of Glue and S3, which both write to. #}
{% macro iceberg__causes_of_faults() %}
  {{ return(portmesh._causes_in_rights() + portmesh._causes_at_the_table() + portmesh._causes_in_settings()
      + portmesh._causes_in_memory() + portmesh._causes_in_services()) }}
{% endmacro %}

{% macro _causes_in_rights() %}
  {{ return([
      {'pattern': 'ExpiredToken|token .{0,60}expired|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient'
           ~ '|SignatureDoesNotMatch|Unable to (locate|load) credentials|Partial credentials found'
           ~ '|config profile .{0,80} could not be found|SSO (session|Token)',
       'tried': true, 'answers': false,
       'cause': 'the AWS credentials have expired, are missing or are wrong',
       'remedy': 'sign in again (on EMR: give the cluster its role)'},
      {'pattern': 'AccessDenied|Access Denied|not authorized|Forbidden|Status Code: 403',
       'tried': true, 'answers': target.type == 'spark',
       'cause': 'the role of this run may not do this: read-only bucket, or a database of another owner',
       'remedy': 'run as the role of the port\'s domain (portmesh infra)'},
  ]) }}
{% endmacro %}

{% macro _causes_at_the_table() %}
  {{ return([
      {'pattern': 'already exists|AlreadyExists', 'of_sql': true,
       'cause': 'another table or view, not created by Portmesh, already has the port\'s name,'
           ~ ' or another run has just made it',
       'remedy': 'move away or drop what is no Iceberg table'},
      {'pattern': 'not an iceberg table|NoSuchIcebergTable',
       'cause': 'a table that is not Iceberg already has the port\'s name', 'remedy': 'move it away or drop it'},
      {'pattern': 'cannot fast-forward|branch.{0,200}does not exist|does not exist.{0,60}branch|CommitFailed'
           ~ '|CommitStateUnknown|ConcurrentModification|VersionMismatch|ICEBERG_COMMIT_ERROR',
       'cause': 'another run of this port has published or written meanwhile',
       'remedy': 'let one scheduler run the port'},
      {'pattern': 'TOO_MANY_OPEN_PARTITIONS|open writers|Exceeded limit of \\d+ (open )?partitions',
       'cause': 'Athena writes at most 100 partitions a statement',
       'remedy': 'give the port fewer partitions (config partition_by)'},
  ]) }}
{% endmacro %}

{% macro _causes_in_settings() %}
  {{ return([
      {'pattern': 'WorkGroup .{0,130}is not found', 'tried': true, 'answers': false,
       'cause': 'Athena has no such work group in this region',
       'remedy': 'set PORTMESH_ATHENA_WORKGROUP and AWS_REGION'},
      {'pattern': 'NoSuchBucket|specified bucket does not exist|create output bucket', 'tried': true, 'answers': false,
       'cause': 'the lake\'s bucket does not exist', 'remedy': 'set PORTMESH_S3_LAKE'},
      {'pattern': 'PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint', 'tried': true,
       'answers': false,
       'cause': 'the lake\'s bucket is in another region', 'remedy': 'set AWS_REGION to the bucket\'s region'},
      {'pattern': 'connect to proxy|Tunnel connection failed', 'tried': true, 'answers': false,
       'cause': 'the proxy blocked the request to AWS', 'remedy': 'check HTTPS_PROXY and NO_PROXY'},
  ]) }}
{% endmacro %}

{% macro _causes_in_memory() %}
  {% set remedy = 'give Spark more memory: spark.driver.memory and spark.executor.memory, where Spark is started'
      ~ ' (on a rig: python -m rig restart emr --conf spark.driver.memory=4g)' if target.type == 'spark'
      else 'have the model take less at once (on a rig: RIG_TRINO_HEAP=6G python -m rig restart athena)' %}
  {{ return([
      {'pattern': 'OutOfMemoryError|Java heap space|GC overhead limit|MEMORY_LIMIT|OUT_OF_MEMORY'
           ~ '|exhausted resources at this scale', 'tried': true,
       'cause': 'the engine has not the memory that this takes', 'remedy': remedy},
  ]) }}
{% endmacro %}

{% macro _causes_in_services() %}
  {% set where = 'PORTMESH_SPARK_HOST and PORTMESH_SPARK_PORT' if target.type == 'spark'
      else 'the network and AWS_REGION' %}
  {{ return([
      {'pattern': 'throttl|Rate exceeded|TooManyRequests|SlowDown|reduce your request rate|ServiceUnavailable'
           ~ '|Status Code: 503', 'tried': true, 'answers': false,
       'cause': 'AWS takes no more calls for now, however often they were tried again',
       'remedy': 'use fewer threads (PORTMESH_THREADS)'},
      {'pattern': 'cancell?ed|bytes scanned limit', 'tried': true,
       'cause': 'the query was cancelled: by somebody, or by the work group\'s limit of bytes scanned',
       'remedy': 'raise the limit if it is that'},
      {'pattern': 'failed to connect|could not connect|connect to the endpoint|Connection refused|TTransport|TSocket'
           ~ '|Broken pipe|Connection reset|(^|\\n)\\s*unexpected exception\\s*$', 'answers': false,
       'cause': 'the engine or AWS could not be reached', 'remedy': 'start the engine, check ' ~ where},
      {'pattern': 'timed out|time-?out', 'tried': true, 'answers': false,
       'cause': 'an answer took too long', 'remedy': 'see whether the engine is overloaded'},
      {'pattern': 'No space left|QuotaExceeded|WRITER_\\w+_ERROR|Error committing write|FILESYSTEM_ERROR',
       'tried': true,
       'cause': 'files could not be written: a full or read-only bucket, or S3 answered too late',
       'remedy': 'make room, or run as the role of the port\'s domain (portmesh infra)'},
  ]) }}
{% endmacro %}
