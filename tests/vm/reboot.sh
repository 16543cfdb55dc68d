# shellcheck shell=bash
# A reboot: what was on disk is kept and adopted, what was in memory is made anew, and the pod is ready again, by the
# units alone. Once in order, once as after a power cut.

note_boot() { cp /proc/sys/kernel/random/boot_id /root/boot; }

adopted() {  # HOW
  check "the kernel has booted anew ($1)" fails same "$(cat /proc/sys/kernel/random/boot_id)" "$(cat /root/boot)"
  check "mooringd has been started by the boot ($1)" within 60 systemctl is-active mooringd
  check "the pod is ready again ($1)" ready web
  check "it is the same pod ($1)" same "$(uid_of web)" "$(cat /root/uid)"
  check "the volume on disk is in its place ($1)" same "$(path_of web disk)" "$(cat /root/disk)"
  check "and has kept its content ($1)" same "$(cat "$(path_of web disk)/kept")" "of disk"
  check "the volume in memory is a tmpfs again ($1)" \
    same "$(findmnt --task 1 --noheadings --output FSTYPE,SIZE "$(path_of web memory)" | xargs)" "tmpfs 8M"
  check "and is empty ($1)" same "$(ls -A "$(path_of web memory)")" ""
  check "the configuration is there ($1)" same "$(cat "$(path_of web settings)/colour")" green
  check "the path of the host has kept its content ($1)" same "$(cat /srv/web/kept)" "of host"
  check "each place is mounted once ($1)" same "$(mounts | awk '{ print $2 }' | uniq --repeated)" ""
  check "there is no problem ($1)" mooringctl status
}

case $stage in
  start)
    systemctl enable --now --quiet mooringd.service
    add_pod web
    add_pod leaver
    check "a pod becomes ready" ready web
    check "and another one" ready leaver
    for volume in memory disk host; do echo "of $volume" >"$(path_of web $volume)/kept"; done
    uid_of web >/root/uid
    path_of web disk >/root/disk
    uid_of leaver >/root/leaver
    note_boot
    echo "# reboot"
    reboot_to again
    ;;
  again)
    adopted "reboot"
    check "the other pod is ready too" ready leaver
    echo "# power cut, and a manifest that is gone meanwhile"
    echo again >"$(path_of web memory)/kept"
    note_boot
    systemctl stop mooringd
    rm $manifests/leaver.yaml
    sync
    check "which nobody has seen yet" test -d "$root/pods/$(cat /root/leaver)"
    cut_power_to after_cut
    ;;
  after_cut)
    adopted "power cut"
    check "the pod whose manifest was gone is gone" gone leaver
    check "and nothing is left of it" fails test -e "$root/pods/$(cat /root/leaver)"
    ;;
esac
