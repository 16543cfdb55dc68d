# shellcheck shell=bash
# Project quotas of this kernel, by themselves: what limits of volumes on disk are built on.

# file_system TYPE: an empty file system of that type with project quotas, mounted on /mnt/TYPE.
file_system() {
  local image=/var/tmp/$1.image mount_point=/mnt/$1
  mkdir -p "$mount_point"
  truncate --size=400M "$image"
  case $1 in
    ext4) mkfs.ext4 -q -O quota,project -E quotatype=prjquota,lazy_itable_init=1,nodiscard "$image" ;;
    xfs) mkfs.xfs -q "$image" ;;
  esac && mount -o loop,prjquota "$image" "$mount_point"
}

limit() {  # TYPE PROJECT DIRECTORY: 4 MiB and 10 inodes, for all that is made in it
  chattr -p "$2" "$3" && chattr +P "$3" &&
    xfs_quota -f -x -c "limit -p bhard=4m ihard=10 $2" "/mnt/$1"
}
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
write_mib() { as_nobody dd if=/dev/zero of="$1" bs=1M count="$2" conv=fsync status=none; }
# Both are what a program is told of a quota: ext4 says it so, and xfs, of a project's, as of a full disk.
declare -A refusal=([ext4]="Disk quota exceeded" [xfs]="No space left on device")
files() { local index; for index in $(seq "$2"); do as_nobody touch "$1/$index" || return 1; done; }
total_kib() { df --output=size --block-size=1K "$1" | tail -n 1 | tr -d ' '; }

for type in ext4 xfs; do
  echo "# $type"
  check "$type is made and mounted with project quotas" file_system $type || continue
  check "its mount says so" has "$(findmnt --noheadings --output OPTIONS /mnt/$type)" prjquota
  mkdir -m 0777 /mnt/$type/limited /mnt/$type/free
  check "a directory is given a project and a limit" limit $type 4711 /mnt/$type/limited
  check "what fits is written" write_mib /mnt/$type/limited/small 3
  check "what does not fit is refused" refused "${refusal[$type]}" write_mib /mnt/$type/limited/large 8
  check "beside it there is room" write_mib /mnt/$type/free/large 8
  check "df in it tells of the limit" same "$(total_kib /mnt/$type/limited)" 4096
  rm -f /mnt/$type/limited/*
  check "what was removed is free again" write_mib /mnt/$type/limited/small 3
  check "too many files are refused" refused "${refusal[$type]}" files /mnt/$type/limited 20
  check "$type is unmounted" umount /mnt/$type
done
