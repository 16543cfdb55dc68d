# shellcheck shell=bash
# The units as they are shipped, on Debian's own kernel: they start, serve, and what they mount is the host's.

echo "# the guest: Linux $(uname -r), $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)"
check "the kernel is Debian 12's" has "$(uname -r)" 6.1.
check "the kernel has what the checks use" modprobe --all loop nfsd nfsv4 xfs btrfs nf_tables quota_v2 dm_mod
check "systemd is process 1" same "$(cat /proc/1/comm)" systemd
add_pod web
check "mooringd starts" systemctl enable --now --quiet mooringd.service
check "mooringd is active" systemctl is-active mooringd
check "the worker socket is active" systemctl is-active mooring-worker.socket
check "the pod becomes ready" ready web
check "mooringctl status has nothing to complain of" mooringctl status
memory=$(path_of web memory)
settings=$(path_of web settings)
check "the volume in memory is a tmpfs of its size for process 1" \
  same "$(findmnt --task 1 --noheadings --output FSTYPE,SIZE "$memory" | xargs)" "tmpfs 8M"
check "the configuration is there" same "$(cat "$settings/colour")" green
check "the group of the pod owns the volume on disk" same "$(stat -c %g "$(path_of web disk)")" 2000
check "and the one in memory" same "$(stat -c %g "$memory")" 2000
sed -i 's/green/blue/' $manifests/web.yaml
check "a change of the configuration arrives" within 20 same_file "$settings/colour" blue
check "no unit has failed" same "$(systemctl list-units --failed --plain --no-legend)" ""
rm $manifests/web.yaml
check "the pod goes with its manifest" gone web
check "and all its mounts" same "$(mounts)" ""
check "and all its files" same "$(ls -A $root/pods)" ""
check "but not those of the host" test -d /srv/web
check "mooringd stops when it is asked to" took 5000 systemctl stop mooringd
check "with success" unit_is mooringd Result success
