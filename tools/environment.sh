#!/usr/bin/env bash
# Create the Python environment that a make target needs, unless it exists and its requirements are unchanged.
# Usage: tools/environment.sh run|dev|lint|standards|rig|pyspark|airflow3|airflow2
#   run   .venv, to run the mesh              dev   .venv, also to lint and test it
#   lint  .venv-bouncer with dbt-bouncer and checkov, which need other versions of duckdb and boto3
#   standards  .venv-standards with the tools of ODCS and ODPS, which need other versions of typer and duckdb
#   rig   .venv-rig with the engines that replace EMR and Athena
#   airflow3, airflow2  .venv-airflow3 and .venv-airflow2: Airflow as MWAA runs it, with Amazon's constraints and without dbt
#   pyspark  .venv-pyspark with Spark, which runs models in Python
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# Prints the version of a Python command, such as 3.11. Fails if the command is not a Python.
version_of() {
  "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

is_new_enough() {
  local major="${1%%.*}" minor="${1#*.}"
  [ "$major" -gt 3 ] || { [ "$major" -eq 3 ] && [ "$minor" -ge 11 ]; }
}

# The Python for new environments: $PYTHON if it is set, else the first one on the path that is new enough.
find_python() {
  local candidate version seen=""
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
    version="$(version_of "$candidate")" || continue
    if is_new_enough "$version"; then
      printf '%s' "$candidate"
      return
    fi
    seen="${seen:-$candidate is Python $version.}"
  done
  fail "Portmesh needs Python 3.11 or newer. ${seen:-There is no ${PYTHON:-python3} on the path.}" \
    "Install a newer Python and name it: put PYTHON=python3.11 at the end of the command."
}

# make_environment FOLDER STAMP PACKAGES FILE…: PACKAGES are arguments of pip; a change of a FILE installs them again.
make_environment() {
  local folder="$1" stamp="$1/.installed-$2" packages="$3" wanted
  shift 3
  wanted="$(cksum "$@")"
  if [ -x "$folder/bin/python" ] && "$folder/bin/python" -c '' 2>/dev/null; then
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
  else
    local python
    python="$(find_python)"
    command -v git >/dev/null || fail "Portmesh needs git, because dbt calls it, but there is no git on the path. Install git."
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
      fail "$python has no module venv. On Debian and Ubuntu: apt install python3-venv"
    echo "   creating an environment in $folder with $python ($(version_of "$python"))"
    "$python" -m venv --clear "$folder"
  fi
  echo "   installing the packages of $1; the first time takes a few minutes"
  # shellcheck disable=SC2086 # several arguments
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check $packages ||
    fail "Could not install the packages of $1; pip's error is above. To try again, run the same command."
  printf '%s' "$wanted" >"$stamp"
}

# make_airflow FOLDER VERSION
make_airflow() {
  local constraints="orchestration/constraints" wanted="orchestration/requirements-airflow.txt"
  local all="$constraints/airflow_constraints-$2.txt" essential="$constraints/mwaa_essential_constraints-$2.txt"
  make_environment "$1" airflow "-r $wanted -c $all -c $essential" "$wanted" "$all" "$essential"
}

# A folder may bring its own requirements, and a package of its own.
shopt -s nullglob
run=(requirements.txt */requirements.txt)
packages=(pyproject.toml */pyproject.toml)
own="-e ."
for file in */pyproject.toml; do own="$own -e ./${file%/*}"; done

case "${1:-}" in
  run) make_environment .venv run "${run[*]/#/-r } $own" "${run[@]}" "${packages[@]}" ;;
  dev)
    make_environment .venv dev "-r requirements-dev.txt ${run[*]/#/-r } $own" requirements-dev.txt "${run[@]}" "${packages[@]}"
    # It includes everything that `run` needs.
    cksum "${run[@]}" "${packages[@]}" >.venv/.installed-run
    ;;
  lint) make_environment .venv-bouncer lint "-r requirements-lint.txt" requirements-lint.txt ;;
  standards) make_environment .venv-standards standards "-r requirements-standards.txt" requirements-standards.txt ;;
  rig) make_environment .venv-rig rig "-r requirements-rig.txt" requirements-rig.txt ;;
  airflow3) make_airflow .venv-airflow3 3.3.1 ;;
  airflow2) make_airflow .venv-airflow2 2.11.2 ;;
  pyspark) make_environment .venv-pyspark pyspark "-r requirements-pyspark.txt" requirements-pyspark.txt ;;
  *) fail "Usage: tools/environment.sh run|dev|lint|standards|rig|pyspark|airflow3|airflow2" ;;
esac
