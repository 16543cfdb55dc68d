# shellcheck shell=bash
# What the checks of this folder share, in the guest, as root. tests/systemd/checks.sh is there too.

root=/var/lib/mooring
manifests=/etc/mooring/manifests

of_unit() { systemctl show --property="$2" --value "$1"; }
unit_is() { same "$(of_unit "$1" "$2")" "$3"; }
core() { of_unit mooringd MainPID; }
new_core() { [ "$(core)" != "$1" ] && [ "$(core)" != 0 ] && unit_is mooringd ActiveState active; }
# The mounts of pods as process 1 sees them: id, place and type.
mounts() { awk -v under="$root/" 'index($5, under) == 1 { print $1, $5 }' /proc/1/mountinfo | sort; }
mounts_of() { mounts | grep -F "/$1/"; }  # UID

ready() { mooringctl wait "pod/$1" --for=ready --timeout "${2:-30s}"; }
gone() { mooringctl wait "pod/$1" --for=gone --timeout "${2:-30s}"; }
uid_of() { mooringctl get pods "$1" -o json | jq --raw-output .metadata.uid; }
# field POD VOLUME NAME: of what "get pods" tells of a volume.
field() {
  mooringctl get pods "$1" -o json |
    jq --raw-output --arg volume "$2" ".volumes[] | select(.name == \$volume) | .$3"
}
volume_is() { same "$(field "$1" "$2" "$3")" "$4"; }  # POD VOLUME FIELD VALUE
path_of() { field "$1" "$2" path; }

# add_manifest NAME: the manifest on standard input appears at once and whole.
add_manifest() {
  cat >"$manifests/.$1.new"
  chgrp mooring "$manifests/.$1.new"
  chmod 0640 "$manifests/.$1.new"
  mv "$manifests/.$1.new" "$manifests/$1.yaml"
}

# add_pod NAME: with a volume of each kind that tells whether it was kept: in memory, on disk, configuration, a path.
add_pod() {
  add_manifest "$1" <<POD
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings-of-$1
data:
  colour: green
---
apiVersion: v1
kind: Pod
metadata:
  name: $1
spec:
  securityContext:
    fsGroup: 2000
  containers:
  - name: main
    image: none
    volumeMounts:
    - {name: memory, mountPath: /memory}
    - {name: disk, mountPath: /disk}
    - {name: settings, mountPath: /settings}
    - {name: host, mountPath: /host}
  volumes:
  - name: memory
    emptyDir: {medium: Memory, sizeLimit: 8Mi}
  - name: disk
    emptyDir: {}
  - name: settings
    configMap: {name: settings-of-$1}
  - name: host
    hostPath: {path: /srv/$1, type: DirectoryOrCreate}
POD
}

# reboot_to STAGE: starts the guest again; the file of checks is then run once more, with that stage.
reboot_to() {
  echo "$1" >"$payload/stage"
  touch "$payload/rebooting"
  sync
  # logind, which "systemctl reboot" would ask, does not run here.
  systemctl start --no-block --job-mode=replace-irreversibly reboot.target
  exit 0
}

# cut_power_to STAGE: likewise, but nothing that runs is told of it, and nothing is written that is not on disk yet.
cut_power_to() {
  echo "$1" >"$payload/stage"
  touch "$payload/rebooting"
  sync "$payload/stage" "$payload/rebooting" "$payload"
  echo b >/proc/sysrq-trigger
}

refused() {  # WHY COMMAND...
  local output why=$1
  shift
  output=$("$@" 2>&1) && { echo "it was permitted: $output"; return 1; }
  has "$output" "$why"
}
same_file() { same "$(cat "$1")" "$2"; }

# took MS COMMAND...: true if the command succeeds within that time.
took() {
  local limit_ms=$1 start=$EPOCHREALTIME passed_ms
  shift
  "$@" || return 1
  passed_ms=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
  [ "$passed_ms" -le "$limit_ms" ] || { echo "it took $passed_ms ms, and not $limit_ms"; return 1; }
}

show_journal() {
  echo "--- the journal"
  journalctl --no-pager --output=short-monotonic --lines=60 --unit=mooringd --unit=mooring-worker.socket \
    --unit='mooring-worker@*' --unit='mooring-flex@*' --unit='csi-*'
}
