{% materialization output_port, adapter='duckdb', supported_languages=['sql'] %}
  {{ return(build_output_port()) }}
{% endmaterialization %}
