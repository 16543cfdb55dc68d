# shellcheck shell=bash
# Block volumes under the shipped units: an image made, formatted once, grown while it is used, kept over a reboot, and a
# device whose file system turns bad.

image=/srv/data.img
stamp=$root/plugins/kubernetes.io/block/formatted/data

storage() {  # CAPACITY
  add_manifest storage <<PV
apiVersion: v1
kind: PersistentVolume
metadata: {name: data}
spec:
  capacity: {storage: $1}
  accessModes: [ReadWriteOnce]
  claimRef: {namespace: default, name: data}
  csi:
    driver: block.mooring.io
    volumeHandle: data
    volumeAttributes: {image: $image, size: 64Mi}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  volumeName: data
  resources: {requests: {storage: 64Mi}}
PV
}

user() {  # NAME
  add_manifest "$1" <<POD
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
    persistentVolumeClaim: {claimName: data}
POD
}

size_mib() { df --output=size --block-size=1M "$1" | tail -n 1 | tr -d ' '; }
at_least() { [ "$1" -ge "$2" ] || { echo "$1 is less than $2"; return 1; }; }
grown() { at_least "$(size_mib "$(path_of one data)")" 100; }
let_go() { same "$(losetup --associated "$image")" "" && same "$(mounts)" ""; }
says_reason() { same "$(field "$1" data reason)" "$2"; }

if [ "$stage" = after ]; then
  check "mooringd has been started by the boot" within 60 systemctl is-active mooringd
  check "the pod is ready after the reboot" ready two 60s
  check "and has what was written before it" same_file "$(path_of two data)/file" "of one"
  check "nothing was formatted anew" same "$(cat "$stamp")" "$(cat /var/tmp/stamp)"
  rm $manifests/two.yaml
  check "the pod goes" gone two 30s
  check "and the image is let go" within 30 let_go
  return 0
fi

check "mooringd starts" systemctl enable --now --quiet mooringd.service
storage 64Mi
user one
check "a pod with an image becomes ready" ready one 60s
check "it is an ext4" same "$(findmnt --noheadings --output FSTYPE "$(path_of one data)")" ext4
echo "of one" >"$(path_of one data)/file"

echo "# it grows while it is used"
storage 128Mi
check "the file system is larger" within 30 grown
check "and has what it had" same_file "$(path_of one data)/file" "of one"

echo "# it turns bad"
loop=$(losetup --associated "$image" | cut -d : -f 1)
mount -o remount,errors=continue "$(path_of one data)"
echo "a test" >"/sys/fs/ext4/${loop##*/}/trigger_fs_error"
check "its errors are told of within 2 s" within 2 says_reason one FileSystemErrors
rm $manifests/one.yaml
check "the pod goes" gone one 30s
check "and the image is let go" within 30 let_go

echo "# the next pod"
user two
check "it has the volume, checked and not formatted" ready two 60s
check "with what the first one wrote" same_file "$(path_of two data)/file" "of one"
check "and no word of errors" fails says_reason two FileSystemErrors
sync
cp "$stamp" /var/tmp/stamp
reboot_to after
