# shellcheck shell=bash
# What the other checks of NFS take for granted: that the server of this guest dies and comes back, and that a hard
# mount then hangs and recovers.
. ./lib_nfs.sh

mount_point=/mnt/nfs
mkdir -p $mount_point
read_file() { timeout --signal=KILL "${2:-20}" dd if="$mount_point/$1" iflag=direct bs=4096 count=1 status=none; }
has_content() { same "$(read_file "$1")" "$2"; }

check "the NFS server starts" nfs_start
echo before >$nfs_export/file
check "a hard NFSv4 mount succeeds" timeout 30 mount -t nfs4 -o hard,timeo=20,retrans=2 127.0.0.1:$nfs_export $mount_point
check "a file is read through it" has_content file before

echo "# paused"
nfs_pause
check "a reader hangs" hangs 6 dd if=$mount_point/file iflag=direct bs=4096 count=1
check "and so does a new mount" hangs 4 mount -t nfs4 -o hard 127.0.0.1:$nfs_export /media
check "a statx that asks nobody does not" timeout 2 findmnt --mountpoint $mount_point
(read_file file 60 >/root/read; echo $? >/root/status) &
reader=$!
check "it comes back" nfs_resume
wait $reader
check "a reader that was waiting gets its data" same "$(cat /root/status) $(cat /root/read)" "0 before"
check "and so does a new one" within 30 has_content file before

echo "# stopped"
nfs_stop
check "the server refuses connections" fails nfs_answers
check "a reader hangs" hangs 6 dd if=$mount_point/file iflag=direct bs=4096 count=1
check "it comes back" nfs_resume
check "the mount recovers" within 60 has_content file before
write_file() { timeout --signal=KILL 40 bash -c "echo after >$mount_point/new && sync $mount_point/new"; }
check "a file is written through it" write_file
check "and is on the server" same "$(cat $nfs_export/new)" after

echo "# a forced unmount of a dead one"
nfs_pause
check "MNT_FORCE and MNT_DETACH take it away" timeout --signal=KILL 60 umount --force --lazy $mount_point
check "it is not mounted any more" fails findmnt --mountpoint $mount_point
check "it comes back" nfs_resume

echo "# NFSv3"
check "a hard NFSv3 mount succeeds" \
  timeout 30 mount -t nfs -o vers=3,nolock,hard,timeo=20,retrans=2 127.0.0.1:$nfs_export $mount_point
check "a file is read through it" has_content file before
check "it is unmounted" timeout 30 umount $mount_point
