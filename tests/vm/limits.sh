# shellcheck shell=bash
# The limit of an emptyDir on disk, kept by project quotas of the file system that the root directory is on.

# file_system TYPE: an empty file system with project quotas, mounted where the root directory is, as that was.
file_system() {
  local image=/var/tmp/limits-$1.image owner mode
  owner=$(stat -c %u:%g "$root")
  mode=$(stat -c %a "$root")
  truncate --size=400M "$image"
  case $1 in
    ext4) mkfs.ext4 -q -O quota,project -E quotatype=prjquota,lazy_itable_init=1,nodiscard "$image" ;;
    xfs) mkfs.xfs -q "$image" ;;
  esac && mount -o loop,prjquota "$image" "$root" && chown "$owner" "$root" && chmod "$mode" "$root"
}

as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
write_mib() { as_nobody dd if=/dev/zero of="$1" bs=1M count="$2" conv=fsync status=none; }
# Both are what a program is told of a quota: ext4 says it so, and xfs, of a project's, as of a full disk.
declare -A refusal=([ext4]="Disk quota exceeded" [xfs]="No space left on device")
usage_is() { same "$(mooringctl get volumes "$1/$2" -o json | jq --raw-output ".usage.$3")" "$4"; }
size_mib() { df --output=size --block-size=1M "$1" | tail -n 1 | tr -d ' '; }
holds_at_most() { [ "$(du --summarize --block-size=1 "$1" | cut -f 1)" -le "$2" ]; }

# project_of DIRECTORY, and how many KiB the file system grants a project: 0 is no limit.
project_of() { lsattr -pd "$1" | awk '{ print $1 }'; }
limit_kib() { xfs_quota -f -x -c "quota -p -N -b -v $1" "$root" | awk '{ kib = $4 } END { print kib + 0 }'; }

add_limited() {
  add_manifest "$1" <<POD
apiVersion: v1
kind: Pod
metadata:
  name: $1
spec:
  containers:
  - name: main
    image: none
    volumeMounts:
    - {name: limited, mountPath: /limited}
    - {name: free, mountPath: /free}
  volumes:
  - name: limited
    emptyDir: {sizeLimit: 10Mi}
  - name: free
    emptyDir: {}
POD
}

systemctl stop mooringd
for type in ext4 xfs; do
  echo "# $type"
  check "$type with project quotas is where the root directory is" file_system $type || continue
  check "mooringd starts on it" systemctl start mooringd
  add_limited quota
  check "the pod becomes ready" ready quota
  limited=$(path_of quota limited)
  # As a container's process would: by the directory itself, not by the path to it.
  for directory in "$limited" "$(path_of quota free)"; do
    while [ "$directory" != "$root" ]; do
      directory=$(dirname "$directory")
      chmod o+x "$directory"
    done
  done
  project=$(project_of "$limited")
  check "the volume has a project of its own" [ "$project" -ge 1048577 ]
  check "with its limit" same "$(limit_kib "$project")" 10240
  check "what fits is written" write_mib "$limited/small" 5
  check "what does not fit is refused" refused "${refusal[$type]}" write_mib "$limited/large" 10
  check "it holds no more than its limit" holds_at_most "$limited" $((10 << 20))
  check "beside it there is room" write_mib "$(path_of quota free)/large" 20
  check "df in it tells of the limit" same "$(size_mib "$limited")" 10
  check "and so does mooringctl" within 20 usage_is quota limited capacityBytes $((10 << 20))
  check "mooringd starts again" systemctl restart mooringd
  check "and the pod is ready" ready quota
  check "the limit is still kept" refused "${refusal[$type]}" write_mib "$limited/large" 10
  rm "$manifests/quota.yaml"
  check "the pod goes with its manifest" gone quota
  check "and its limit" same "$(limit_kib "$project")" 0
  check "mooringd stops" systemctl stop mooringd
  check "$type is unmounted" umount "$root"
done
