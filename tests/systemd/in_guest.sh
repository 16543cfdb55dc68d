#!/bin/bash
# Runs as root in the booted container, where Mooring is installed and not started yet. Each part starts from what the
# one before it has left.
set -uo pipefail
. "$(dirname "$0")/checks.sh"
export SYSTEMD_PAGER=cat LC_ALL=C

name=io.mooring.VolumeManager1
object=/io/mooring/VolumeManager1
pods=/var/lib/mooring/pods
manifests=/etc/mooring/manifests

ask() { busctl --timeout=20s call $name $object $name.Manager "$@"; }
wait_for_pod() { ask WaitForPod sssta\{sv\} default "$1" "$2" 15000 0; }
of_unit() { systemctl show --property="$2" --value "$1"; }
unit_is() { same "$(of_unit "$1" "$2")" "$3"; }
core() { of_unit mooringd MainPID; }
# The mounts of pods as process 1 sees them: id, place and type.
mounts() { awk -v under="$pods/" 'index($5, under) == 1 { print $1, $5 }' /proc/1/mountinfo | sort; }
namespace() { readlink "/proc/$1/ns/mnt"; }
capabilities() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
# Units of workers that serve, and the process of the first one.
workers() { systemctl list-units --state=active --plain --no-legend 'mooring-worker@*' | awk '{ print $1 }'; }
worker() { of_unit "$(workers | head -n 1)" MainPID; }
no_workers() { same "$(workers)" ""; }
journal_has() {
  journalctl --sync
  has "$(journalctl --no-pager --output=cat --unit="$1" --since="@$2")" "$3"
}
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
as_mooring() { setpriv --reuid=mooring --regid=mooring --clear-groups "$@"; }
refused() {  # WHY COMMAND...
  local output why=$1
  shift
  output=$("$@" 2>&1) && { echo "it was permitted: $output"; return 1; }
  has "$output" "$why"
}
new_core() { [ "$(core)" != "$1" ] && [ "$(core)" != 0 ] && unit_is mooringd ActiveState active; }

write_pod() {  # NAME
  cat >"$manifests/.$1.new" <<POD
apiVersion: v1
kind: Pod
metadata:
  name: $1
spec:
  containers:
  - name: main
    image: none
    volumeMounts:
    - name: scratch
      mountPath: /scratch
    - name: host
      mountPath: /host
  volumes:
  - name: scratch
    emptyDir:
      medium: Memory
      sizeLimit: 8Mi
  - name: host
    hostPath:
      path: /srv/$1
      type: DirectoryOrCreate
POD
  chmod 0640 "$manifests/.$1.new"
  mv "$manifests/.$1.new" "$manifests/$1.yaml"
}

echo "# start"
check "systemd-tmpfiles made the manifest directory" same "$(stat -c '%a %U %G' $manifests)" "2750 root mooring"
write_pod web
check "a manifest that root writes is readable by the core" as_mooring test -r $manifests/web.yaml
check "mooringd starts" systemctl enable --now --quiet mooringd.service || {
  systemctl status --no-pager mooringd mooring-worker.socket 'mooring-worker@*'
  journalctl --no-pager --unit=mooringd --unit='mooring-worker@*'
}
check "mooringd is active" systemctl is-active mooringd
check "the worker socket is only for root and mooring" \
  same "$(stat -c '%a %U %G' /run/mooring-worker.sock)" "660 root mooring"
check "the pod becomes ready" wait_for_pod web ready
check "the status line tells of it" \
  within 5 unit_is mooringd StatusText "1 of 1 pods ready, 2 of 2 volumes"
volume=$(mounts | awk '/emptydir.*scratch/ || /empty-dir\/scratch/ { print $2; exit }')
check "the tmpfs is in the mount table of process 1" test -n "$volume"
check "and is a tmpfs of the size asked for" \
  same "$(findmnt --task 1 --noheadings --output FSTYPE,SIZE "$volume" | xargs)" "tmpfs 8M"
check "the hostPath directory was made on the host" test -d /srv/web
check "the state directory belongs to mooring" same "$(stat -c '%a %U' /var/lib/mooring/state)" "700 mooring"

echo "# who runs how"
check "the core runs as mooring" same "$(stat -c %U /proc/"$(core)")" mooring
check "the core has no capability" same "$(capabilities "$(core)" CapEff)" 0000000000000000
check "the core has a mount namespace of its own" fails same "$(namespace "$(core)")" "$(namespace 1)"
check "the core dumps no core" has "$(grep '^Max core file size' /proc/"$(core)"/limits)" "0                    0"
check "the core's watchdog is set" unit_is mooringd WatchdogUSec 30s
check "a worker runs as root" same "$(stat -c %U /proc/"$(worker)")" root
check "a worker shares the mount namespace of process 1" same "$(namespace "$(worker)")" "$(namespace 1)"
check "a worker has fewer capabilities than process 1" \
  fails same "$(capabilities "$(worker)" CapBnd)" "$(capabilities 1 CapBnd)"

echo "# who may ask what"
check "nobody may read the status" as_nobody busctl get-property $name $object $name.Manager PodsReady
check "nobody may list all objects" \
  as_nobody busctl call $name $object org.freedesktop.DBus.ObjectManager GetManagedObjects
check "nobody may wait for a pod" \
  as_nobody busctl call $name $object $name.Manager WaitForPod sssta\{sv\} default web ready 5000 0
own_user="only root and the user that mooringd runs as may do that"
check "nobody may not retry, and is told why" \
  refused "$own_user" as_nobody busctl call $name $object $name.Manager Retry ssa\{sv\} "" "" 0
check "nobody may not reload, and is told why" \
  refused "$own_user" as_nobody busctl call $name $object $name.Manager Reload a\{sv\} 0
check "nobody may not take the bus name" refused "Access denied" \
  as_nobody busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus RequestName su $name 4
check "nobody cannot read manifests" fails as_nobody ls $manifests
check "root may retry" ask Retry ssa\{sv\} "" "" 0
check "the user of the daemon may retry" as_mooring busctl call $name $object $name.Manager Retry ssa\{sv\} "" "" 0

echo "# reload, restart, crash, stop"
before=$(mounts)
first=$(core)
check "a reload succeeds" systemctl reload mooringd
check "and keeps the process" same "$(core)" "$first"
check "a restart succeeds" systemctl restart mooringd
check "the pod is ready after it" wait_for_pod web ready
check "by another process" fails same "$(core)" "$first"
check "over the same mounts" same "$(mounts)" "$before"
second=$(core)
kill -KILL "$second"
check "it comes back after kill -9" within 20 new_core "$second"
check "the pod is ready after that" wait_for_pod web ready
check "over the same mounts again" same "$(mounts)" "$before"
check "nothing is wrong beyond single volumes" \
  same "$(busctl get-property $name $object $name.Manager Problems)" "as 0"
check "a stop succeeds" systemctl stop mooringd
check "the workers end with it" within 10 no_workers
check "the mounts stay" same "$(mounts)" "$before"
check "the records stay" test -n "$(ls /run/mooring/pods)"
check "a start succeeds" systemctl start mooringd
check "the pod is ready at once" wait_for_pod web ready
check "over the same mounts still" same "$(mounts)" "$before"
write_pod later
check "a pod that is added now becomes ready too" wait_for_pod later ready
check "with mounts of its own" test "$(mounts | wc -l)" -gt "$(wc -l <<<"$before")"
write_pod gone
check "a third one becomes ready" wait_for_pod gone ready
rm $manifests/later.yaml $manifests/gone.yaml
check "they go when their manifests go" wait_for_pod later gone
check "both of them" wait_for_pod gone gone
check "and what was mounted for them" same "$(mounts)" "$before"
check "but not the data of the host" test -d /srv/later

echo "# a worker is lost"
lost=$(worker)
kill -KILL "$lost"
write_pod after
check "another one does the work" wait_for_pod after ready
rm $manifests/after.yaml
check "and takes it away" wait_for_pod after gone

echo "# the watchdog"
mkdir -p /run/systemd/system/mooringd.service.d
printf '[Service]\nWatchdogSec=2\n' >/run/systemd/system/mooringd.service.d/watchdog.conf
systemctl daemon-reload
check "it starts with a short watchdog" systemctl restart mooringd
restarts=$(of_unit mooringd NRestarts)
stuck=$(core)
since=$(date +%s)
more_restarts() { [ "$(of_unit mooringd NRestarts)" -gt "$restarts" ]; }
fed=$(of_unit mooringd WatchdogTimestampMonotonic)
check "a core that answers feeds it" within 10 fails unit_is mooringd WatchdogTimestampMonotonic "$fed"
kill -STOP "$stuck"
check "a core that is stuck is ended by the watchdog" within 30 more_restarts
check "the journal says so" within 5 journal_has mooringd "$since" "Watchdog timeout"
check "it comes back" within 20 new_core "$stuck"
check "the pod is ready after it" wait_for_pod web ready
check "over the same mounts" same "$(mounts)" "$before"
rm /run/systemd/system/mooringd.service.d/watchdog.conf
systemctl daemon-reload

echo "# a worker unit with a forbidden option"
mkdir -p /run/systemd/system/mooring-worker@.service.d
printf '[Service]\nPrivateTmp=yes\n' >/run/systemd/system/mooring-worker@.service.d/forbidden.conf
systemctl daemon-reload
since=$(date +%s)
problem="this worker has a mount namespace of its own"
status_has() { has "$(of_unit mooringd StatusText)" "$1"; }
check "mooringd starts all the same" systemctl restart mooringd
check "its status line says what is wrong" within 10 status_has "no worker can serve: $problem"
check "and what to do" status_has "remove the sandboxing options that mooring-worker@.service must not have"
check "the journal of mooringd says so" within 5 journal_has mooringd "$since" "$problem"
check "the journal of the worker says so" within 5 journal_has 'mooring-worker@*' "$since" "$problem"
check "the mounts stay" same "$(mounts)" "$before"
rm /run/systemd/system/mooring-worker@.service.d/forbidden.conf
systemctl daemon-reload
check "without the option it serves again by itself" within 60 status_has "1 of 1 pods ready"
check "over the same mounts" same "$(mounts)" "$before"

echo "# removal"
rm $manifests/web.yaml
check "the pod goes with its manifest" wait_for_pod web gone
check "nothing of it is mounted" same "$(mounts)" ""
check "nothing of it is left below the root directory" same "$(ls -A $pods 2>/dev/null)" ""
check "nothing of it is left of the records" same "$(ls -A /run/mooring/pods)" ""
check "the data of the host is" test -d /srv/web
check "the status line tells of it" within 5 unit_is mooringd StatusText "0 of 0 pods ready, 0 of 0 volumes"
check "no unit of Mooring is in a failed state" \
  same "$(systemctl list-units --failed --plain --no-legend 'mooring*')" ""
check "mooringd ends at once when it is asked to" timeout 5 systemctl stop mooringd
check "with success" unit_is mooringd Result success

if ! summary; then
  echo "--- the journal"
  journalctl --no-pager --output=short-monotonic --lines=80 --unit=mooringd --unit=mooring-worker.socket \
    --unit='mooring-worker@*'
fi
