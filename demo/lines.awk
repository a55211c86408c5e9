# Shows the important lines of dbt's output: each port with its verdict and seconds, what failed, and the final error.
# Output of other programs is shown in full.
function say(line) { print (line == "" ? "" : "   " line); fflush() }
function is_port(name) { return name !~ /__internal\./ }
{
  is_timed = sub(/^[0-9][0-9]:[0-9][0-9]:[0-9][0-9] */, "")
  is_dbt = is_dbt || is_timed
}
/^(Completed with|Encountered an error)/ { is_told = 1 }
is_told { if ($0 !~ /^(compiled code at|Done\.)/) say($0); next }
!is_dbt { say($0); next }
/(OK created|ERROR creating) sql output_port model/ {
  match($0, /output_port model [^ ]+/)
  port = substr($0, RSTART + 18, RLENGTH - 18)
  match($0, /\[.*\]/)
  verdict = substr($0, RSTART + 1, RLENGTH - 2)
  sub(/^ERROR in/, "not published in", verdict)
  say(sprintf("%-38s %s", port, verdict))
  next
}
/^[0-9]+ of [0-9]+ SKIP relation / { if (is_port($6)) say(sprintf("%-38s waits for a port that was not published", $6)); next }
/^[0-9]+ of [0-9]+ (WARN|FAIL|ERROR)/ { say($0) }
