# shellcheck shell=bash
# deadline: 1200
# A CSI driver as a service of its own beside the shipped units: registered, used, stopped in use, and there again; in a
# mount namespace that shares its mounts and in one that does not; over restarts of mooringd and a reboot.

driver=mock.example.com
drivers=/srv/drivers

# add_driver NAME [OPTION...]: installs the mock driver as the service csi-NAME.
add_driver() {
  local name=$1
  shift
  mkdir -p "$drivers/$name" /usr/local/libexec
  install -m 0755 mock_csi /usr/local/libexec/
  cat >"/etc/systemd/system/csi-$name.service" <<UNIT
[Unit]
Description=CSI driver $name
RequiresMountsFor=$root
[Service]
Type=exec
ExecStart=/usr/local/libexec/mock_csi --name $name --node-id vm --data $drivers/$name/data --log $drivers/$name/log $*
[Install]
WantedBy=multi-user.target
UNIT
  systemctl daemon-reload
}

# add_csi_volume NAME [DRIVER]: a PersistentVolume of the driver with the handle h-NAME, and a claim to it.
add_csi_volume() {
  add_manifest "volume-$1" <<VOLUME
apiVersion: v1
kind: PersistentVolume
metadata: {name: $1}
spec:
  capacity: {storage: 64Mi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: ""
  claimRef: {namespace: default, name: $1}
  csi: {driver: ${2:-$driver}, volumeHandle: h-$1}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $1}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  volumeName: $1
  resources: {requests: {storage: 64Mi}}
VOLUME
}

driver_state() { mooringctl get drivers "$1" -o json | jq --raw-output .state; }
driver_is() { same "$(driver_state "$1")" "$2"; }
no_driver() { refused "$1" mooringctl get drivers "$1"; }
# What the driver was asked to do, in order.
calls() {
  jq --raw-output '.method | sub(".*/"; "") | select(test("^Node.*(tage|ublish)Volume$"))' "$drivers/$driver/log"
}
calls_end_with() { same "$(calls | tail -n "$(wc -l <<<"$1")")" "$1"; }
mounted_for() { awk -v place="$1" '$5 == place { print $5 }' "/proc/$2/mountinfo"; }  # PLACE PID
not_mounted() { same "$(awk -v place="$1" '$5 == place' /proc/1/mountinfo)" ""; }
nothing_mounted() { same "$(mounts)" ""; }
nothing_staged() { same "$(find $root/plugins/kubernetes.io/csi -mindepth 2 2>/dev/null)" ""; }
reason_is() { volume_is "$1" data reason "$2"; }
content() { cat "$drivers/$driver/data/volumes/h-$1/file"; }

. ./lib_claims.sh

case $stage in
  start)
    mkdir -p $root/plugins/$driver
    add_driver $driver --endpoint $root/plugins/$driver/csi.sock \
      --registration-socket $root/plugins_registry/$driver-reg.sock
    add_driver quiet.example.com --endpoint /run/quiet.sock
    printf 'csiDrivers:\n- socket: /run/quiet.sock\n' >/etc/mooring/mooringd.yaml
    check "mooringd starts" systemctl enable --now --quiet mooringd.service
    check "the drivers start" systemctl enable --now --quiet csi-$driver csi-quiet.example.com
    check "one that registers itself is registered" within 60 driver_is $driver Registered
    check "and so is one that the configuration names" within 90 driver_is quiet.example.com Registered

    echo "# a volume of the driver"
    add_csi_volume data
    add_user web data
    check "a pod with a volume of the driver becomes ready" ready web 90s
    place=$(path_of web data)
    check "the mount is there for process 1" same "$(mounted_for "$place" 1)" "$place"
    check "and for a shell" mountpoint -q "$place"
    check "and for the driver" same "$(mounted_for "$place" "$(of_unit csi-$driver MainPID)")" "$place"
    check "mooringd is restarted" systemctl restart mooringd
    check "the pod is ready" ready web 90s
    check "over the same mount" same "$(mounted_for "$place" 1)" "$place"
    check "what is written into it" bash -c "echo kept >'$place/file'"
    check "is in the driver's own directory" same "$(content data)" kept
    check "no other process than workers was needed" same \
      "$(systemctl list-units --plain --no-legend 'mooring-flex@*')" ""

    echo "# the driver is stopped while its volume is in use"
    before=$(mounts)
    systemctl stop csi-$driver
    check "mooringctl get drivers has it no more" within 30 no_driver $driver
    check "the pod is ready" ready web
    check "over the same mounts" same "$(mounts)" "$before"
    check "with its content" same "$(cat "$place/file")" kept
    check "mooringd is restarted" systemctl restart mooringd
    check "it says that the pod waits for the driver" within 60 reason_is web DriverNotRegistered
    check "the mounts are the same" same "$(mounts)" "$before"
    check "with their content" same "$(cat "$place/file")" kept
    rm $manifests/web.yaml
    check "a pod that goes waits for the driver" within 60 reason_is web DriverNotRegistered
    check "and keeps its mount" mountpoint -q "$place"
    systemctl start csi-$driver
    check "the driver is registered again" within 60 driver_is $driver Registered
    check "and the pod goes" gone web 150s
    check "unpublished and unstaged by the driver" \
      within 60 calls_end_with $'NodeUnpublishVolume\nNodeUnstageVolume'
    check "nothing of it is mounted" within 30 nothing_mounted
    check "or left on disk" within 30 nothing_staged
    check "but what the driver keeps" same "$(content data)" kept
    systemctl stop csi-quiet.example.com
    check "a driver of the configuration that is stopped does not answer" \
      within 120 driver_is quiet.example.com NotAnswering
    systemctl start csi-quiet.example.com

    echo "# a driver with a mount namespace of its own"
    mkdir -p /etc/systemd/system/csi-$driver.service.d
    printf '[Service]\nPrivateMounts=yes\n' >/etc/systemd/system/csi-$driver.service.d/namespace.conf
    systemctl daemon-reload
    systemctl restart csi-$driver
    check "it is registered" within 60 driver_is $driver Registered
    add_user lost data
    check "a volume that nobody else sees is not called ready" within 90 reason_is lost NotMounted
    check "mooringctl explain tells why" has "$(mooringctl explain pod/lost 2>&1)" "nothing is mounted"
    rm $manifests/lost.yaml
    check "the pod goes" gone lost 150s
    # As a container whose mounts are propagated in both directions.
    command=$(sed -n 's/^ExecStart=//p' /etc/systemd/system/csi-$driver.service)
    printf '[Service]\nExecStart=\nExecStart=unshare --mount --propagation unchanged %s\n' "$command" \
      >/etc/systemd/system/csi-$driver.service.d/namespace.conf
    systemctl daemon-reload
    systemctl restart csi-$driver
    check "one whose mounts are shared is registered" within 60 driver_is $driver Registered
    check "in a namespace of its own" fails same \
      "$(readlink /proc/"$(of_unit csi-$driver MainPID)"/ns/mnt)" "$(readlink /proc/1/ns/mnt)"
    add_user shared data
    check "a pod with its volume becomes ready" ready shared 90s
    check "with what is in it" same "$(cat "$(path_of shared data)/file")" kept
    rm $manifests/shared.yaml
    check "and goes" gone shared 90s
    check "with its mounts" within 60 nothing_mounted
    check "also in the namespace of the driver" fails \
      grep -F "$root/" /proc/"$(of_unit csi-$driver MainPID)"/mountinfo
    rm -r /etc/systemd/system/csi-$driver.service.d
    systemctl daemon-reload
    systemctl restart csi-$driver

    echo "# reboot"
    add_user web data
    check "a pod is ready before the reboot" ready web 90s
    check "no unit has failed" same "$(systemctl list-units --failed --plain --no-legend)" ""
    uid_of web >/root/uid
    reboot_to again
    ;;
  again)
    check "mooringd has been started by the boot" within 60 systemctl is-active mooringd
    check "the driver is registered" within 90 driver_is $driver Registered
    check "the pod is ready again" ready web 150s
    check "it is the same pod" same "$(uid_of web)" "$(cat /root/uid)"
    check "with what was written" same "$(cat "$(path_of web data)/file")" kept
    check "each place is mounted once" same "$(mounts | awk '{ print $2 }' | uniq --repeated)" ""
    rm $manifests/web.yaml
    check "and it goes" gone web 90s
    check "with its mounts" within 60 nothing_mounted
    check "and all that was on disk" within 30 nothing_staged
    check "there is no problem" mooringctl status
    ;;
esac
