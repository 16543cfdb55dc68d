# shellcheck shell=bash
# What the scripts of this folder share: a line for each check, and waits that end.

checks=0
failures=0

# check WHAT COMMAND...: the command's output is shown if it fails.
check() {
  local what=$1 output
  shift
  checks=$((checks + 1))
  if output=$("$@" 2>&1); then
    echo "ok - $what"
    return 0
  fi
  echo "FAILED - $what"
  [ -z "$output" ] || sed 's/^/    /' <<<"$output"
  failures=$((failures + 1))
  return 1
}

# within SECONDS COMMAND...: true as soon as the command is; its last output is shown if it never was.
within() {
  local end=$((SECONDS + $1)) output
  shift
  until output=$("$@" 2>&1); do
    if [ "$SECONDS" -ge "$end" ]; then
      echo "$output"
      return 1
    fi
    sleep 0.05
  done
}

# same WHAT-IS WHAT-SHOULD-BE
same() {
  [ "$1" = "$2" ] || {
    echo "it is     \"$1\""
    echo "should be \"$2\""
    return 1
  }
}

has() { grep -F -e "$2" <<<"$1" >/dev/null || { echo "\"$2\" is not in: $1"; return 1; }; }

# fails COMMAND...: the other way round.
fails() { ! "$@"; }

quiet() {
  local output
  output=$("$@" 2>&1) && [ -z "$output" ] && return 0
  echo "$output"
  return 1
}

skip() {
  echo "skipped: $*"
  exit 77
}

summary() {
  if [ "$failures" -eq 0 ]; then
    echo "all $checks checks passed"
  else
    echo "$failures of $checks checks FAILED"
  fi
  [ "$failures" -eq 0 ]
}
