# shellcheck shell=bash
# deadline: 900
# NFS volumes of pods, and a server that is down, dies under hard mounts, and returns. Emulated, a process takes ten
# times as long to start: what must be fast is held against the same without a dead server.
. ./lib_nfs.sh

mkdir -p "$nfs_export/data" /etc/mooring
echo "of the server" >"$nfs_export/data/file"
echo 'unmountDeadlineSeconds: 3' >/etc/mooring/mooringd.yaml

# nfs_pod NAME [POLICY [SERVER [EXTRA]]]: a pod with an inline nfs volume "data", and more of its source in EXTRA.
nfs_pod() {
  add_manifest "$1" <<POD
apiVersion: v1
kind: Pod
metadata:
  name: $1
  annotations:
    mooring.io/unmount-policy: ${2:-Force}
spec:
  containers:
  - name: main
    image: none
    volumeMounts:
    - {name: data, mountPath: /data}
  volumes:
  - name: data
    nfs: {server: "${3:-127.0.0.1}", path: $nfs_export/data${4:+, $4}}
POD
}

data_of() { timeout --signal=KILL 30 cat "$(path_of "$1" data)/file"; }
has_data() { same "$(data_of "$1")" "of the server"; }
now_ms() { local now=${EPOCHREALTIME/./}; echo $((now / 1000)); }
# ms_of COMMAND...: its time, the best of three.
ms_of() {
  local best=999999 start took round
  for round in 1 2 3; do
    start=$(now_ms)
    "$@" >/dev/null 2>&1 || true
    took=$(($(now_ms) - start))
    [ "$took" -ge "$best" ] || best=$took
  done
  echo "$best"
}
at_most() { [ "$1" -le "$2" ] || { echo "it took $1 ms, and may take $2 ms"; return 1; }; }
pod_round() { add_pod round && ready round && rm $manifests/round.yaml && gone round; }
is_publishing() { volume_is "$1" data phase Publishing; }
tells_why() { has "$(field "$1" data message)" "$2" && [ "$(field "$1" data nextRetry)" != null ]; }
not_mounted() { ! grep -F "$1" /proc/1/mountinfo; }

check "the NFS server starts" nfs_start
check "mooringd starts" systemctl enable --now --quiet mooringd.service

echo "# a server that answers"
nfs_pod plain
nfs_pod reader Force 127.0.0.1 "readOnly: true"
nfs_pod six Force ::1
for pod in plain reader six; do
  check "a pod with an nfs volume becomes ready ($pod)" ready $pod 60s
  check "and finds what the server has ($pod)" has_data $pod
done
check "what the pod writes is on the server" \
  bash -c "echo kept >'$(path_of plain data)/new' && grep -q kept $nfs_export/data/new"
check "a read-only one is" refused "Read-only file system" touch "$(path_of reader data)/no"
six=$(path_of six data)
rm $manifests/six.yaml $manifests/reader.yaml
check "a pod with an nfs volume goes" gone six 60s
check "and its mount" not_mounted "$six"
check "but not what the server has" test -e $nfs_export/data/file

echo "# a server that is down"
check "the read-only pod goes too" gone reader 60s
nfs_stop
nfs_pod late Force 127.0.0.2  # An address that nothing is mounted from: the kernel shares what it knows of a server.
check "its volume is being published" within 20 is_publishing late
check "and tells the cause, and when it is tried again" within 60 tells_why late "Connection refused"
check "mooringctl explain tells it too" has "$(mooringctl explain pod/late 2>&1)" "Connection refused"
add_pod beside
check "another pod becomes ready meanwhile" ready beside
rm $manifests/beside.yaml
check "it comes back" nfs_resume
check "the pod becomes ready by itself" ready late 150s
check "and finds what the server has" has_data late
check "the one that was mounted goes on" has_data plain

echo "# a server that dies under 50 hard mounts"
for index in $(seq 48); do nfs_pod "dead$index"; done
for index in $(seq 48); do ready "dead$index" 120s >/dev/null || echo "dead$index is not ready"; done
check "50 nfs volumes are mounted" same "$(grep -c 'kubernetes.io~nfs.* - nfs' /proc/1/mountinfo)" 50
status_ms=$(ms_of mooringctl status)
round_ms=$(ms_of pod_round)
restart_ms=$(ms_of systemctl restart mooringd)
before=$(mounts)
nfs_pause
check "a reader hangs" hangs 3 cat "$(path_of plain data)/file"
check "mooringctl status takes as long as before (and at most 100 ms more)" \
  at_most "$(ms_of mooringctl status)" $((status_ms + 100))
check "other pods come and go as fast as before (and 10 %)" at_most "$(ms_of pod_round)" $((round_ms * 11 / 10 + 100))
check "mooringd restarts as fast as before (and at most 1 s more)" \
  at_most "$(ms_of systemctl restart mooringd)" $((restart_ms + 1000))
check "the pods are ready after it" ready plain
check "over the same mounts" same "$(mounts)" "$before"
check "mooringd stops within 2 s" took 2000 systemctl stop mooringd
check "and starts again" took $((restart_ms + 2000)) systemctl start mooringd
check "the pods are ready" ready late

echo "# teardown while it is dead"
plain=$(path_of plain data)
nfs_pod waits Wait
check "a pod that is added now says that it waits" within 60 is_publishing waits
says() { has "$(field "$1" data message)" "$2"; }
check "and for what, when it has waited for a while" within 90 says waits "did not answer"
rm $manifests/plain.yaml
check "a pod whose policy is Force goes" gone plain 120s
check "and its mount" not_mounted "$plain"
for index in $(seq 1 20); do rm "$manifests/dead$index.yaml"; done
check "20 at once go too" gone dead1 200s
check "the last of them as well" gone dead20 200s
rest=$(mounts)
check "the others keep their mounts" test "$(wc -l <<<"$rest")" -ge 29

echo "# it returns"
check "it comes back" nfs_resume
check "what is mounted works again" within 60 has_data late
check "the pod that waited becomes ready" ready waits 150s
waits=$(path_of waits data)
tail --follow "$waits/file" >/dev/null &  # A mount that nobody uses may leave the tree, server or not.
reader=$!
within 10 test -e /proc/$reader/fd/3
nfs_pause
rm $manifests/waits.yaml
check "a pod whose policy is Wait does not go" fails gone waits 45s
check "it comes back" nfs_resume
kill $reader
check "then it goes" gone waits 150s
check "and its mount" not_mounted "$waits"
rm $manifests/*.yaml
check "all the others go" gone dead48 120s
check "and the last one" gone late 120s
nothing_mounted() { same "$(mounts)" ""; }
check "nothing is mounted" within 60 nothing_mounted
