# Of dbt's output: a line for each port, its verdict and seconds, and each warning or error. Of other output: all.
function plain(line) { sub(/^[0-9][0-9]:[0-9][0-9]:[0-9][0-9] +/, "", line); return line }
!/^[0-9][0-9]:[0-9][0-9]:[0-9][0-9] / { print "   " $0; fflush(); next }
{ line = plain($0) }
line ~ /(OK created|ERROR creating) sql output_port model/ {
  match(line, /output_port model [^ ]+/)
  port = substr(line, RSTART + 18, RLENGTH - 18)
  match(line, /\[.*\]/)
  verdict = substr(line, RSTART + 1, RLENGTH - 2)
  printf "   %-38s %s\n", port, verdict
  fflush()
  next
}
line ~ /^[0-9]+ of [0-9]+ (WARN|FAIL|ERROR|SKIP)/ { print "   " line; fflush() }
