# shellcheck shell=bash
# What happens to the processes does not happen to the volumes: stop, start, restart, kill -9 of the core and of a worker.

systemctl enable --now --quiet mooringd.service
add_pod web
check "the pod becomes ready" ready web
before=$(mounts)
check "it has mounts" test -n "$before"
for volume in memory disk host; do echo "of $volume" >"$(path_of web $volume)/kept"; done
contents() {
  local volume
  for volume in memory disk host; do cat "$(path_of web $volume)/kept" || return 1; done
  cat "$(path_of web settings)/colour"
}
expected=$'of memory\nof disk\nof host\ngreen'
memory=$(path_of web memory)
as_before() {
  same "$(mounts)" "$before" && same "$(contents)" "$expected"
}
check "the content is there" same "$(contents)" "$expected"

echo "# stop and start"
check "a stop takes no more than 5 s" took 5000 systemctl stop mooringd
check "the worker socket stops too" systemctl stop mooring-worker.socket
no_workers() { same "$(systemctl list-units --plain --no-legend 'mooring-worker@*')" ""; }
check "no worker is left" within 20 no_workers
check "the mounts stay, under the same ids" same "$(mounts)" "$before"
check "and so does what is in them" same "$(cat "$memory/kept")" "of memory"
check "a start succeeds" systemctl start mooringd
check "the pod is ready" ready web
check "over the same mounts, with the same content" as_before

echo "# restart"
first=$(core)
check "a restart succeeds" systemctl restart mooringd
check "by another process" fails same "$(core)" "$first"
check "the pod is ready" ready web
check "over the same mounts, with the same content" as_before

echo "# kill -9"
first=$(core)
kill -KILL "$first"
check "systemd starts it again" within 30 new_core "$first"
check "the pod is ready" ready web
check "over the same mounts, with the same content" as_before
worker=$(systemctl list-units --plain --no-legend --state=active 'mooring-worker@*' | awk '{ print $1; exit }')
kill -KILL "$(of_unit "$worker" MainPID)"
add_pod next
check "without one of its workers another pod becomes ready" ready next
check "and the first one stays so" ready web
check "over the same mounts, with the same content" same "$(contents)" "$expected"
rm $manifests/next.yaml
check "the other one goes" gone next
check "and leaves the first one's mounts" as_before
check "and there is no problem" mooringctl status
