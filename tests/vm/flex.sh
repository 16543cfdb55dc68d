# shellcheck shell=bash
# deadline: 900
# FlexVolume drivers under the shipped units: programs of somebody else's, which may do what root may do, in units of
# their own, and what they leave running lives as long as the volume.

programs=/usr/libexec/kubernetes/kubelet-plugins/volume/exec

# install_driver NAME: the program on standard input is the driver example.com/NAME.
install_driver() {
  mkdir -p "$programs/example.com~$1"
  cat >"$programs/example.com~$1/.$1"
  chmod 0755 "$programs/example.com~$1/.$1"
  mv "$programs/example.com~$1/.$1" "$programs/example.com~$1/$1"
}

add_flex_pod() {  # NAME DRIVER [MORE]
  add_manifest "$1" <<POD
apiVersion: v1
kind: Secret
metadata: {name: login-of-$1}
type: example.com/$2
stringData: {key: tell-nobody-$1}
---
apiVersion: v1
kind: Pod
metadata: {name: $1}
spec:
  containers:
  - name: main
    image: none
    volumeMounts: [{name: data, mountPath: /data}]
  volumes:
  - name: data
    flexVolume: {driver: example.com/$2, secretRef: {name: login-of-$1}, options: {size: 8m}${3:+, $3}}
POD
}

driver_is() { same "$(mooringctl get drivers "$1" -o json | jq --raw-output .state)" "$2"; }
units() { systemctl list-units --plain --no-legend 'mooring-flex@*' | awk '{ print $1 }'; }
no_units() { same "$(units)" ""; }
reason_is() { volume_is "$1" data reason "$2"; }
status_of_driver() { sed -n "s/^$1:[[:space:]]*//p" /var/log/image-driver.status; }

check "mooringd starts" systemctl enable --now --quiet mooringd.service
check "the socket of the programs is there" systemctl is-active mooring-flex.socket
check "it is only for root" same "$(stat -c '%a %U %G' /run/mooring-flex.sock)" "600 root root"

echo "# the driver of the manual"
install_driver scratch <examples/flexvolume/scratch
check "it is found and asked" within 60 driver_is example.com/scratch Registered
add_flex_pod one scratch
check "a pod with its volume becomes ready" ready one 60s
place=$(path_of one data)
check "it is a tmpfs of its size for process 1" \
  same "$(findmnt --task 1 --noheadings --output FSTYPE,SIZE "$place" | xargs)" "tmpfs 8M"
check "it can be written to" bash -c "echo kept >'$place/file'"
check "mooringd is restarted" systemctl restart mooringd
check "the pod is ready" ready one 60s
check "and its volume holds what it held" same "$(cat "$place/file")" kept
rm $manifests/one.yaml
check "the pod goes" gone one 60s
check "with its mount" same "$(mounts)" ""
check "no unit of a call is left" within 30 no_units

echo "# a driver that takes all it can get"
# An image of its own for each volume; a program that stays, as a file system in user space does.
install_driver image <<'DRIVER'
#!/bin/bash
log=/var/log/image-driver.log
say() { printf '{"status":"%s","message":"%s"%s}\n' "$1" "$2" "$3"; }
image() { sed -n 's/.*"kubernetes.io\/pvOrVolumeName":"\([^"]*\)".*/\/srv\/images\/\1/p' <<<"$1"; }
case $1 in
  init)
    cat /proc/self/status >/var/log/image-driver.status
    env >/var/log/image-driver.env
    { modprobe fuse && exec 3<>/dev/fuse && ip link && nice -n 5 true && ulimit -n 4096 && unshare --mount true &&
      chroot / true && mknod /dev/image-driver.null c 1 3 && : >/dev/image-driver.null; } >>$log 2>&1 ||
      { say Failure "the sandbox is too small: $(tail -n 1 $log | tr -d '"')"; exit 1; }
    rm /dev/image-driver.null
    say Success "" ',"capabilities":{"attach":false}' ;;
  mount)
    mkdir -p /srv/images
    file=$(image "$3")
    { [ -e "$file" ] || truncate --size=32M "$file"
      device=$(losetup --find --show "$file") &&
        { [ -n "$(blkid --output value --match-tag TYPE "$device")" ] || mkfs.ext4 -q "$device"; } &&
        mount "$device" "$2"; } >>$log 2>&1 || { say Failure "see $log"; exit 1; }
    setsid sleep infinity </dev/null >/dev/null 2>&1 &
    echo $! >"$file.daemon"
    say Success ;;
  unmount)
    device=$(findmnt --noheadings --output SOURCE --mountpoint "$2")
    if [ -n "$device" ]; then
      file=$(losetup --noheadings --output BACK-FILE "$device" | xargs)
      { umount "$2" && losetup --detach "$device" && kill "$(cat "$file.daemon")" && rm "$file.daemon"; } >>$log 2>&1 ||
        { say Failure "see $log"; exit 1; }
    fi
    say Success ;;
  *) say "Not supported"; exit 1 ;;
esac
DRIVER
check "it can do what root can do" within 60 driver_is example.com/image Registered ||
  { mooringctl describe driver example.com/image; tail /var/log/image-driver.log; }
check "it has all capabilities" same "$(status_of_driver CapBnd)" "$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/1/status)"
check "no filter" same "$(status_of_driver Seccomp)" 0
check "and may gain privileges" same "$(status_of_driver NoNewPrivs)" 0
add_flex_pod two image
check "a pod with its volume becomes ready" ready two 90s
place=$(path_of two data)
check "it is a file system on a loop device" same "$(findmnt --task 1 --noheadings --output FSTYPE "$place")" ext4
check "it can be written to" bash -c "echo kept >'$place/file'"
daemon=$(cat /srv/images/data.daemon)
check "what the driver left running is there" kill -0 "$daemon"
check "in a unit of its own" has "$(cat "/proc/$daemon/cgroup")" mooring-flex@
check "which systemd calls active" same "$(units | wc -l)" 1
check "mooringd is restarted" systemctl restart mooringd
check "the pod is ready" ready two 60s
first=$(core)
systemctl kill --signal=KILL mooringd 'mooring-worker@*'  # Those that are ending just now cannot be.
check "mooringd and its workers are killed, and it comes back" within 60 new_core "$first"
check "the pod is ready again" within 60 ready two 30s
check "and what the driver left running is still there" kill -0 "$daemon"
check "its volume holds what it held" same "$(cat "$place/file")" kept
rm $manifests/two.yaml
check "the pod goes" gone two 90s
check "with its mount" same "$(mounts)" ""
check "its loop device" same "$(losetup --list --noheadings)" ""
check "and its unit" within 30 no_units
add_flex_pod two image
check "when it comes back" ready two 90s
check "the driver has kept its content" same "$(cat "$(path_of two data)/file")" kept
rm $manifests/two.yaml
check "and it goes" gone two 90s

echo "# what drivers are given"
mkdir -p /etc/systemd/system/mooring-flex@.service.d
printf '[Service]\nEnvironment=https_proxy=http://proxy.example.com:3128\n' \
  >/etc/systemd/system/mooring-flex@.service.d/proxy.conf
systemctl daemon-reload
touch "$programs/example.com~image/image"
asked_again() { grep -q '^https_proxy=http://proxy.example.com:3128$' /var/log/image-driver.env; }
cp -a "$programs/example.com~image/image" "$programs/example.com~image/.image"
mv "$programs/example.com~image/.image" "$programs/example.com~image/image"
check "the environment of a drop-in reaches a driver" within 60 asked_again
check "and nothing that systemd tells the unit" fails grep -E '^(LISTEN_|NOTIFY_|INVOCATION_ID)' /var/log/image-driver.env
secret=$(printf tell-nobody-two | base64)
check "no secret is in the journal" fails grep -F -e tell-nobody -e "$secret" <<<"$(journalctl --no-pager --output=json)"
rm -r /etc/systemd/system/mooring-flex@.service.d
systemctl daemon-reload

echo "# nobody runs programs"
systemctl stop mooring-flex.socket
add_flex_pod three scratch
check "the volume says so" within 60 reason_is three DriverServiceUnavailable
check "and what to do" has "$(mooringctl explain pod/three 2>&1)" "systemctl start mooring-flex.socket"
systemctl start mooring-flex.socket
mooringctl retry >/dev/null
check "then the pod becomes ready" ready three 90s
mkdir -p /etc/systemd/system/mooring-flex@.service.d
printf '[Service]\nPrivateTmp=yes\n' >/etc/systemd/system/mooring-flex@.service.d/hidden.conf
systemctl daemon-reload
add_flex_pod four scratch
check "in a namespace of its own nothing is run" within 60 reason_is four DriverServiceUnavailable
check "and it says why" has "$(field four data message)" "mooring-flex has a mount namespace of its own"
rm -r /etc/systemd/system/mooring-flex@.service.d
systemctl daemon-reload
mooringctl retry >/dev/null
check "without the option it becomes ready" ready four 90s
rm $manifests/*.yaml
check "they go" gone four 90s
check "both" gone three 90s
check "no unit has failed" same "$(systemctl list-units --failed --plain --no-legend)" ""
check "there is no problem" mooringctl status
check "the core is as confined as before" systemd-analyze security --threshold=20 --no-pager mooringd.service
