#!/usr/bin/env bash
# What a build of the whole mesh costs on this machine: seconds of each command, in a database of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

work="$PWD/build/bench"
rm -rf "$work"
mkdir -p "$work"
export PORTMESH_DATABASE="$work/mesh.duckdb" PORTMESH_LAKE="$work/lake"
export DBT_TARGET_PATH="$work/target" DBT_LOG_PATH="$work/logs"

measure() {
  local title="$1" begun ended
  shift
  begun="$(python -c 'import time; print(time.time())')"
  "$@" >"$work/output.log" 2>&1 || { cat "$work/output.log" >&2; echo "$title failed." >&2; exit 1; }
  ended="$(python -c 'import time; print(time.time())')"
  awk -v title="$title" -v s="$(python -c "print($ended - $begun)")" 'BEGIN { printf "%-52s %6.1f s\n", title, s }'
}

dbt --quiet deps
measure "landing all batches but the newest" portmesh land --until 2017-W52
measure "the first build, all ports from nothing" dbt --quiet build
measure "a build with nothing new" dbt --quiet build
measure "landing one more week" portmesh land
measure "a build with one more week" dbt --quiet build
measure "one port alone" dbt --quiet build --select orders.output_ports.order_lines
measure "its checks alone, on the published rows" dbt --quiet test --select orders.output_ports.order_lines
measure "parsing after a change of variables" dbt --quiet parse --no-partial-parse
