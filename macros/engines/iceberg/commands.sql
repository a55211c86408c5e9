{# There is only one catalog, so the profile cannot name a wrong database. And neither engine can read this checkout's
   files, so old packages cannot be found. #}
{% macro iceberg__database_problem() %}{{ return('') }}{% endmacro %}

{% macro iceberg__old_packages() %}{{ return([]) }}{% endmacro %}

{# Errors of Spark, Athena, Glue and S3. #}
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
       'cause': 'the role of this run lacks the right: a read-only bucket, or a database of another owner',
       'remedy': 'run as the role of the port\'s domain (portmesh infra)'},
  ]) }}
{% endmacro %}

{% macro _causes_at_the_table() %}
  {{ return([
      {'pattern': 'already exists|AlreadyExists', 'of_sql': true,
       'cause': 'another table or view, not created by Portmesh, already has the port\'s name,'
           ~ ' or another run has just created it',
       'remedy': 'rename or drop it if it is not an Iceberg table'},
      {'pattern': 'not an iceberg table|NoSuchIcebergTable',
       'cause': 'a table that is not Iceberg already has the port\'s name', 'remedy': 'rename or drop it'},
      {'pattern': 'cannot fast-forward|Ref does not exist|branch.{0,200}does not exist|does not exist.{0,60}branch'
           ~ '|CommitFailed|CommitStateUnknown|ConcurrentModification|VersionMismatch|ICEBERG_COMMIT_ERROR',
       'cause': 'another run of this port has published or written in the meantime',
       'remedy': 'let only one scheduler run the port'},
      {'pattern': 'TOO_MANY_OPEN_PARTITIONS|open writers|Exceeded limit of \\d+ (open )?partitions',
       'cause': 'Athena writes at most 100 partitions in one statement',
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
      else 'make the model read less at a time (on a rig: RIG_TRINO_HEAP=6G python -m rig restart athena)' %}
  {{ return([
      {'pattern': 'OutOfMemoryError|Java heap space|GC overhead limit|MEMORY_LIMIT|OUT_OF_MEMORY'
           ~ '|exhausted resources at this scale', 'tried': true,
       'cause': 'the engine does not have enough memory for this', 'remedy': remedy},
  ]) }}
{% endmacro %}

{% macro _causes_in_services() %}
  {% set where = 'PORTMESH_SPARK_HOST and PORTMESH_SPARK_PORT' if target.type == 'spark'
      else 'the network and AWS_REGION' %}
  {{ return([
      {'pattern': 'throttl|Rate exceeded|TooManyRequests|SlowDown|reduce your request rate|ServiceUnavailable'
           ~ '|Status Code: 503', 'tried': true, 'answers': false,
       'cause': 'AWS limits the number of calls, and retries did not succeed',
       'remedy': 'use fewer threads (PORTMESH_THREADS)'},
      {'pattern': 'cancell?ed|bytes scanned limit', 'tried': true,
       'cause': 'the query was cancelled: by a person, or by the work group\'s limit on bytes scanned',
       'remedy': 'if it was the limit, raise it'},
      {'pattern': 'failed to connect|could not connect|connect to the endpoint|Connection refused|TTransport|TSocket'
           ~ '|Broken ?pipe|Connection ?reset|Connection(Aborted|Refused)|RemoteDisconnected'
           ~ '|(^|\\n)\\s*unexpected exception\\s*$', 'answers': false,
       'cause': 'the engine or AWS could not be reached', 'remedy': 'start the engine, check ' ~ where},
      {'pattern': 'timed out|time-?out', 'tried': true, 'answers': false,
       'cause': 'the engine or AWS took too long to answer', 'remedy': 'check whether the engine is overloaded'},
      {'pattern': 'No space left|QuotaExceeded|WRITER_\\w+_ERROR|Error committing write|FILESYSTEM_ERROR',
       'tried': true,
       'cause': 'files could not be written: the bucket is full or read-only, or S3 answered too late',
       'remedy': 'free up space, or run as the role of the port\'s domain (portmesh infra)'},
  ]) }}
{% endmacro %}
