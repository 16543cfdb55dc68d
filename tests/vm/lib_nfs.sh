# shellcheck shell=bash
# An NFS server of this kernel, which exports /srv/nfs on loopback, and the ways in which it goes and comes back:
#
#     nfs_start             serves, NFSv4 and NFSv3, and has noticed its export
#     nfs_stop              ends all server threads: connections are refused
#     nfs_pause             nothing that is sent to it arrives or is answered: as a machine that has lost its network
#     nfs_resume            undoes either, and waits until it answers
#
# A client with a hard mount waits for ever in both cases. After nfs_stop the server comes back as after a reboot,
# with a grace period, which ends as soon as its clients have told what they held.

nfs_export=/srv/nfs

nfs_answers() { timeout 2 bash -c '</dev/tcp/127.0.0.1/2049' && same "$(cat /proc/fs/nfsd/threads)" 4; }

nfs_start() {
  mkdir -p "$nfs_export"
  printf '%s 127.0.0.1(rw,sync,no_subtree_check,no_root_squash) ::1(rw,sync,no_subtree_check,no_root_squash)\n' \
    "$nfs_export" >/etc/exports
  systemctl start nfs-server.service && within 30 nfs_answers
}

nfs_stop() { echo 0 >/proc/fs/nfsd/threads; }

nfs_pause() {
  nft -f - <<'RULES'
table inet mooring_nfs {
  chain lost { type filter hook input priority 0; tcp dport 2049 drop; tcp sport 2049 drop; }
}
RULES
}

nfs_resume() {
  nft delete table inet mooring_nfs 2>/dev/null
  [ "$(cat /proc/fs/nfsd/threads)" -gt 0 ] || rpc.nfsd || return 1
  within 30 nfs_answers
}

# hangs SECONDS COMMAND...: true if the command is still waiting after that time. It is ended then.
hangs() {
  local seconds=$1 status
  shift
  timeout --signal=KILL "$seconds" "$@" >/dev/null 2>&1
  status=$?
  [ "$status" = 137 ] || { echo "it ended with status $status"; return 1; }
}
