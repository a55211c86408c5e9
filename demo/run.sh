#!/usr/bin/env bash
# Builds the whole mesh on this machine from scratch: environment, lake, every port, catalog. You can run it again.
set -euo pipefail
cd "$(dirname "$0")/.."

logs="${DBT_LOG_PATH:-logs}/demo"
mkdir -p "$logs"
times=""

# step TITLE NAME MEANING COMMAND…: run the command and show the important lines. If it fails, print MEANING and stop.
step() {
  local title="$1" name="$2" meaning="$3" started=$SECONDS
  shift 3
  echo "== $title"
  if ! "$@" 2>&1 | tee "$logs/$name.log" | awk -f demo/lines.awk; then
    printf '\n%s\nFull output: %s/%s.log\n' "$meaning" "$logs" "$name" >&2
    exit 1
  fi
  times="$times$(printf '   %-13s %3d s' "$name" $((SECONDS - started)))"$'\n'
}

echo "== Environment"
tools/environment.sh run
times="$(printf '   %-13s %3d s' environment "$SECONDS")"$'\n'
export PATH="$PWD/.venv/bin:$PATH"

step "Landing the grocery data in the lake" landing "The data was not landed." portmesh demo land
step "Linking the domains" domains "dbt could not link the domains' packages." dbt deps --quiet
pyspark="${PORTMESH_PYSPARK_PYTHON:-.venv-pyspark/bin/python}"
without=""
[ -x "$pyspark" ] || without=" --exclude product_pairs"
# shellcheck disable=SC2086 # two arguments
step "Building, checking and publishing every port" build \
  "Some ports were not published (see above); consumers keep the current version. For their state: portmesh status" \
  dbt --no-use-colors build $without
step "Publishing the records of this run" records \
  "The platform's own ports were not published; the others were." \
  dbt --no-use-colors build --select package:platform
step "Writing the catalog" catalog "The catalog was not written; the ports were published." \
  dbt --quiet docs generate --static

printf '\n== The mesh\n'
portmesh status
printf '\n== %d s\n%s' "$SECONDS" "$times"
cat <<NEXT

   the catalog   make serve
   next          land a week with duplicate lines, and see it refused:
                 source .venv/bin/activate
                 portmesh demo land --flaw duplicates
                 dbt build --select order_lines+$without
NEXT
[ -x "$pyspark" ] || cat <<'PYSPARK'
   in PySpark    customer_behaviour.product_pairs is not built, because PySpark is not installed (800 MB):
                 tools/environment.sh pyspark
                 dbt build --select product_pairs
PYSPARK
