#!/usr/bin/env bash
# MWAA's startup script, and on its workers the Python of the mesh ($PORTMESH_PYTHON): one file with two uses.
#
# MWAA sources it on each component before Airflow starts. It sets PORTMESH_*, copies itself to $PORTMESH_PYTHON, and on
# workers makes dbt's environment in advance. It never ends MWAA's shell, because then the component does not start; what
# is missing is a sentence in the log of each task instead.
#
# A task calls it as $PORTMESH_PYTHON. It fetches the release of the mesh that is now in S3, if this worker does not have
# it, makes an environment for its requirements, takes on the role of $PORTMESH_PRODUCT, and runs Python there.

if [ "${BASH_SOURCE[0]}" != "$0" ]; then
  # An option portmesh.s3_lake of the environment arrives as AIRFLOW__PORTMESH__S3_LAKE.
  while IFS= read -r -d '' pair; do
    case "$pair" in
      AIRFLOW__PORTMESH__*) export "PORTMESH_${pair#AIRFLOW__PORTMESH__}" ;;
    esac
  done < <(env -0)
  export PORTMESH_ROOT="${PORTMESH_ROOT:-$HOME/portmesh}"
  export PORTMESH_HOME="$PORTMESH_ROOT/home" PORTMESH_PYTHON="$PORTMESH_ROOT/python"
  mkdir -p "$PORTMESH_HOME" && cp "${BASH_SOURCE[0]}" "$PORTMESH_PYTHON" && chmod +x "$PORTMESH_PYTHON"
  # portmesh_dags.py wants a mesh where it starts $PORTMESH_PYTHON, which then goes to the release.
  echo "# The mesh is in ../releases." >"$PORTMESH_HOME/dbt_project.yml"
  case "${MWAA_AIRFLOW_COMPONENT:-}" in
    worker | hybrid) PORTMESH_SECONDS="${PORTMESH_SECONDS:-240}" "$PORTMESH_PYTHON" --prepare ||
      echo "Airflow starts all the same: each task tries it again, and says what is missing." ;;
  esac
  return 0
fi

set -euo pipefail
root="$(cd "$(dirname "$0")" && pwd)"

fail() {
  printf '%s\n' "$@" >&2
  exit 3
}

# Sets $release and $environment, and PySpark's Python for a product that has models in Python. It can be called at any
# time, by several tasks at once, and after it was killed.
prepare() {
  [ -n "${PORTMESH_RELEASE:-}" ] || fail "The environment has no option portmesh.release, such as s3://BUCKET/portmesh.tar.gz." \
    "next   deploy infra/mwaa.yaml, which sets it"
  local place="${PORTMESH_RELEASE#s3://}" version
  local object=(--bucket "${place%%/*}" --key "${place#*/}")
  version="$(aws s3api head-object "${object[@]}" --query VersionId --output text)" ||
    fail "The release of the mesh cannot be read: $PORTMESH_RELEASE. The error of S3 is above." \
      "next   upload it (docs/running-on-aws.md, Airflow), or let the execution role read it"
  [ "$version" != None ] && [ "$version" != null ] || fail "The bucket of $PORTMESH_RELEASE keeps no versions. MWAA needs them." \
    "next   use the bucket of infra/mwaa.yaml"
  release="$root/releases/${version//[!A-Za-z0-9._-]/_}"
  mkdir -p "$root/releases" "$root/environments"

  exec 9>"$root/lock"
  python3 -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
  [ -d "$release" ] || fetch
  if [ -z "${PORTMESH_PYSPARK_PYTHON:-}" ] && has_python_models; then
    make_environment requirements-pyspark.txt
    export PORTMESH_PYSPARK_PYTHON="$environment/bin/python"
  fi
  make_environment requirements.txt
  [ -f "$release/.ready" ] || link_packages
  touch "$release"
  # A run may still use an earlier one, but for no longer than a day.
  find "$root/releases" -mindepth 1 -maxdepth 1 -mtime +1 ! -path "$release" -exec rm -rf {} +
  exec 9>&-
}

has_python_models() {
  [ -n "${PORTMESH_PRODUCT:-}" ] &&
    [ -n "$(find "$release/domains/$PORTMESH_PRODUCT/models" -name '*.py' -print -quit 2>/dev/null)" ]
}

# make_environment FILE: sets $environment to the one with the requirements in this file of the release.
make_environment() {
  local wanted
  wanted="$(python3 --version | cat - "$release/$1" | cksum)"
  environment="$root/environments/${wanted%% *}"
  [ -f "$environment/complete" ] || install "$1"
}

fetch() {
  echo "Fetching the release $version of the mesh." >&2
  rm -rf "$root/new" "$root/new.tar.gz"
  aws s3api get-object "${object[@]}" --version-id "$version" "$root/new.tar.gz" >/dev/null ||
    fail "The release $version of the mesh could not be fetched: $PORTMESH_RELEASE. The error of S3 is above."
  python3 -m tarfile --filter data -e "$root/new.tar.gz" "$root/new" >/dev/null 2>&1 && [ -f "$root/new/dbt_project.yml" ] && [ -f "$root/new/requirements.txt" ] ||
    fail "$PORTMESH_RELEASE (version $version) is not a release of a mesh: it has no dbt_project.yml or requirements.txt." \
      "next   make it with: git archive --format=tar.gz --output build/portmesh.tar.gz HEAD"
  # git archive writes the commit into the archive's header.
  python3 -c 'import sys, tarfile; print(tarfile.open(sys.argv[1]).pax_headers.get("comment", ""))' "$root/new.tar.gz" >"$root/new/.commit"
  mv "$root/new" "$release"
  rm -f "$root/new.tar.gz"
}

install() {
  echo "Installing an environment for $1; it takes a few minutes, once on each worker." >&2
  rm -rf "$environment"
  python3 -m venv "$environment" || fail "python3 could not make the environment $environment."
  local code=0
  timeout "${PORTMESH_SECONDS:-900}" "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
    --no-input --requirement "$release/$1" || code=$?
  [ "$code" != 124 ] || fail "pip did not finish within ${PORTMESH_SECONDS:-900} seconds. The next task tries it again, with more time." \
    "next   if that fails too: a larger environment class, or an index nearby (PIP_INDEX_URL)"
  [ "$code" = 0 ] || fail "The mesh's requirements could not be installed; pip's error is above." \
    "next   give the subnets a route to a package index (docs/running-on-aws.md, Airflow)"
  touch "$environment/complete"
}

link_packages() {
  (cd "$release" && PYTHONPATH="$release/src" "$environment/bin/python" -c 'from dbt.cli.main import cli; cli()' --quiet deps) ||
    fail "dbt deps failed in the release $version; its error is above."
  touch "$release/.ready"
}

# Everything in the lake is done with the product's own role, in its work group and on its Thrift server.
become_product() {
  [ -n "${PORTMESH_PRODUCT:-}" ] && [ -n "${PORTMESH_ROLES:-}" ] || return 0
  local host="PORTMESH_SPARK_HOST__${PORTMESH_PRODUCT^^}" config="$root/roles/$PORTMESH_PRODUCT"
  mkdir -p "$root/roles"
  printf '[profile mesh]\nrole_arn = %s\nrole_session_name = airflow\ncredential_source = EcsContainer\n' \
    "$PORTMESH_ROLES$PORTMESH_PRODUCT" >"$config.$$"
  mv "$config.$$" "$config"
  export AWS_CONFIG_FILE="$config" AWS_PROFILE=mesh DBT_CACHE_SELECTED_ONLY=true
  export PORTMESH_ATHENA_WORKGROUP="${PORTMESH_ROLES##*/}$PORTMESH_PRODUCT"
  [ -z "${!host:-}" ] || export PORTMESH_SPARK_HOST="${!host}"
}

prepare
[ "${1:-}" != --prepare ] || exit 0
become_product
PORTMESH_COMMIT="$(cat "$release/.commit")"
export PORTMESH_COMMIT PORTMESH_HOME="$release" PYTHONPATH="$release/src"
cd "$release"
exec "$environment/bin/python" "$@"
