{% materialization output_port, adapter='duckdb', supported_languages=['sql', 'python'] %}
  {{ return(build_output_port()) }}
{% endmaterialization %}

{% materialization output_port, adapter='spark', supported_languages=['sql', 'python'] %}
  {{ return(build_output_port()) }}
{% endmaterialization %}

{% materialization output_port, adapter='athena', supported_languages=['sql', 'python'] %}
  {{ return(build_output_port()) }}
{% endmaterialization %}
