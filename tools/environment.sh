#!/usr/bin/env bash
# Make the environment that a make target needs; does nothing where it is there and its requirements are unchanged.
# Usage: tools/environment.sh run|dev|lint|rig
#   run   .venv with what runs the mesh       dev   … and what lints and tests it
#   lint  .venv-bouncer with dbt-bouncer and checkov, which need another duckdb and another boto3
#   rig   .venv-rig with the engines that stand in for EMR and Athena
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# Prints the version, 3.11, of a command that is a Python; fails where it is none.
version_of() {
  "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

is_new_enough() {
  local major="${1%%.*}" minor="${1#*.}"
  [ "$major" -gt 3 ] || { [ "$major" -eq 3 ] && [ "$minor" -ge 11 ]; }
}

# The Python to make environments with: $PYTHON if it is set, else the first on the path that is new enough.
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
    "Install a newer one and name it: make demo PYTHON=python3.11"
}

# make_environment FOLDER STAMP PACKAGES FILE…: PACKAGES are pip's arguments, FILEs what they depend on.
make_environment() {
  local folder="$1" stamp="$1/.installed-$2" packages="$3" wanted
  shift 3
  wanted="$(cksum "$@")"
  if [ -x "$folder/bin/python" ] && "$folder/bin/python" -c '' 2>/dev/null; then
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
  else
    local python
    python="$(find_python)"
    command -v git >/dev/null || fail "Portmesh needs git, which dbt calls, and there is none on the path. Install git."
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
      fail "$python lacks the module venv. On Debian and Ubuntu: apt install python3-venv"
    echo "   a new environment in $folder, with $python ($(version_of "$python"))"
    "$python" -m venv --clear "$folder"
  fi
  echo "   installing what $1 asks for; the first time takes minutes"
  # shellcheck disable=SC2086 # several arguments
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check $packages ||
    fail "The packages of $1 could not be installed; pip says why above. Run the same command again to try again."
  printf '%s' "$wanted" >"$stamp"
}

case "${1:-}" in
  run) make_environment .venv run "-r requirements.txt -e ." requirements.txt pyproject.toml ;;
  dev)
    make_environment .venv dev "-r requirements-dev.txt -e ." requirements-dev.txt requirements.txt pyproject.toml
    # It holds all that `run` needs.
    cksum requirements.txt pyproject.toml >.venv/.installed-run
    ;;
  lint) make_environment .venv-bouncer lint "-r requirements-lint.txt" requirements-lint.txt ;;
  rig) make_environment .venv-rig rig "-r requirements-rig.txt" requirements-rig.txt ;;
  *) fail "Usage: tools/environment.sh run|dev|lint|rig" ;;
esac
