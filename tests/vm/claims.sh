# shellcheck shell=bash
# deadline: 1200
# Claims under the shipped units: found, made on a real NFS server, recycled, archived, limited and grown, and the same
# after a reboot and a power cut.
. ./lib_nfs.sh
. ./lib_claims.sh

share=$nfs_export/share
replicas="0 1 2"
entries() { same "$(ls -A --ignore=.mooring "$1" | xargs)" "$2"; }  # DIRECTORY NAMES
explains() { has "$(mooringctl explain "$1" 2>&1)" "$2"; }
class_of_claim() { claim "$1" storageClass; }
mounted_with() { has ",$(findmnt --task 1 --noheadings --output OPTIONS "$1")," ",$2,"; }

configure() {
  mkdir -p "$share" $nfs_export/beside /etc/mooring
  echo "of others" >$nfs_export/beside/file
  cat >/etc/mooring/mooringd.yaml <<CONFIG
nfsProvisioners:
- {name: k8s-sigs.io/nfs-subdir-external-provisioner, server: 127.0.0.1, path: $share}
- {name: nfs-client, server: 127.0.0.1, path: $share, mountOptions: [nfsvers=4.2]}
- {name: example.com/late, server: 127.0.0.2, path: $share}
CONFIG
}

static_volume() {
  echo "# a PersistentVolume and a claim with a selector"
  sample nfs-pv | add_manifest nfs-pv
  sample nfs-pvc | add_manifest nfs-pvc
  check "a claim whose selector fits no volume is pending" within 30 claim_is nfs-pvc phase Pending
  check "explain names the volume and the label that it lacks" within 30 \
    explains pvc/nfs-pvc "it has no labels at all, and the claim's selector wants app=nfs"
  check "the volume is available" volume_phase_is nfs-pv Available
  sample nfs-pv | sed 's/^  label:/  labels:/' | add_manifest nfs-pv
  check "with the label it is bound" bound nfs-pvc
  check "to that volume" claim_is nfs-pvc volume nfs-pv
  add_user reader nfs-pvc
  check "a pod has it" ready reader 60s
  chmod 0777 "$share"
  check "and writes" write_in reader "of the pod"
  check "which is on the server" same_file "$share/file" "of the pod"
  mkdir -p "$share/deep/.hidden" && touch "$share/deep/.hidden/more"
  rm $manifests/reader.yaml $manifests/nfs-pvc.yaml
  check "the pod goes" gone reader 60s
  check "and the claim" claim_gone nfs-pvc
  check "its volume is available again" within 90 volume_phase_is nfs-pv Available
  check "and empty" same "$(ls -A "$share")" ""
  check "nothing else on the export was touched" same_file $nfs_export/beside/file "of others"
  rm $manifests/nfs-pv.yaml
}

stateful_set() {
  local index name names="" volumes=""
  echo "# a StatefulSet and a class of NFS"
  sample nfs-storageclass | add_manifest class
  sample nfs-nginx-deploy | add_manifest set
  for index in $replicas; do
    check "pod $index is ready" ready "web-$index" 120s
    check "its claim is bound" claim_is "data-web-$index" phase Bound
    check "it writes" write_in "web-$index" "of web-$index"
    volumes+=" $(volume_of "data-web-$index")"
    names+="${names:+ }default-data-web-$index-${volumes##* }"
  done
  check "each has a directory of its own, with its name" entries "$share" "$names"
  check "and finds it in there" same_file "$share/${names%% *}/file" "of web-0"
  rm $manifests/set.yaml
  for index in $replicas; do check "pod $index goes" gone "web-$index" 60s; done
  check "the claims stay" claim_is data-web-2 phase Bound
  check "and what they hold" entries "$share" "$names"
  for index in $replicas; do
    check "claim $index is deleted" mooringctl delete "pvc/data-web-$index"
    check "and goes" claim_gone "data-web-$index"
  done
  for name in $volumes; do check "a volume of theirs goes" within 60 no_volume "$name"; done
  check "archiveOnDelete \"false\": its directory too" entries "$share" ""

  add_class archive k8s-sigs.io/nfs-subdir-external-provisioner
  add_claim old archive 64Mi
  check "a claim of a class without archiveOnDelete is bound" bound old
  names=default-old-$(volume_of old)
  echo kept >"$share/$names/file"
  rm $manifests/claim-old.yaml
  check "it goes" claim_gone old
  check "its directory is set aside" within 60 entries "$share" "archived-$names"
  check "with what it held" same_file "$share/archived-$names/file" kept
  rm $manifests/class.yaml $manifests/class-archive.yaml
  rm -r "${share:?}"/archived-*
}

default_class() {
  echo "# the default class of a manifest"
  sample nfs-client-storageclass | add_manifest class
  sample claim-1gi | add_manifest claim
  check "a claim without a class is bound" bound pv-claim
  check "by the class that is marked" same "$(class_of_claim pv-claim)" nfs-storage
  add_user client pv-claim
  check "a pod has it" ready client 60s
  check "it is mounted with the options of the class (hard)" mounted_with "$(path_of client data)" hard
  check "it is mounted with the options of the class (version)" mounted_with "$(path_of client data)" vers=4.2
  check "the pod writes" write_in client "over the network"
}

dead_server() {
  echo "# a server that is down while a volume is made"
  nfs_stop
  # Of an address that nothing is mounted from: the kernel shares what it knows of a server.
  add_class late example.com/late
  add_claim late late 64Mi
  add_class local directory.mooring.io "allowVolumeExpansion: true"
  add_claim near local 64Mi
  check "its claim is pending, and says why" within 60 explains pvc/late "Connection refused"
  check "in its own words too" has "$(claim late message)" "Connection refused"
  check "it is pending" claim_is late phase Pending
  check "another one is bound meanwhile" bound near
  check "mooringctl status names it" refused pvc/default/late mooringctl status -x
  check "the server comes back" nfs_resume
  check "it is bound by itself" bound late 150s
  check "its directory is there" test -d "$share/default-late-$(volume_of late)"
}

hanging_server() {
  local late near before
  echo "# a server that hangs while volumes are made and removed"
  late=$(volume_of late)
  near=$(volume_of near)
  nfs_pause
  add_claim stuck late 64Mi
  rm $manifests/claim-late.yaml
  check "a claim goes, though its volume cannot" claim_gone late
  add_claim close local 64Mi
  check "another one is bound meanwhile" bound close
  before=$(core)
  systemctl kill --signal=KILL mooringd
  check "mooringd is killed, and starts again" within 60 new_core "$before"
  check "its claims are what they were" within 30 claim_is near volume "$near"
  check "what is made waits" claim_is stuck phase Pending
  check "what is removed too" mooringctl get pv "$late"
  check "the server comes back" nfs_resume
  check "it is made by itself" bound stuck 240s
  check "once" same "$(ls -d "$share"/default-stuck-*)" "$share/default-stuck-$(volume_of stuck)"
  check "and the other one removed" within 240 no_volume "$late"
  check "which sets its directory aside" test -d "$share/archived-default-late-$late"
  check "no mount of either is left" fails grep -F -e "$late" -e "$(volume_of stuck)" /proc/1/mountinfo
}

let_go() { same "$(losetup --list --noheadings --output BACK-FILE | grep -F "$root/volumes")" ""; }
at_least() { [ "$1" -ge "$2" ] || { echo "$1 is less than $2"; return 1; }; }
size_mib() { df --output=size --block-size=1M "$1" | tail -n 1 | tr -d ' '; }
grown() { at_least "$(size_mib "$(path_of drawer data)")" "$1"; }

images() {
  echo "# an image"
  add_class images block.mooring.io "allowVolumeExpansion: true"
  add_claim image images 64Mi
  add_user drawer image
  check "a pod with one is ready" ready drawer 90s
  check "it is a file system of its own" \
    same "$(findmnt --task 1 --noheadings --output FSTYPE "$(path_of drawer data)")" ext4
  echo drawn >"$(path_of drawer data)/file"
  add_claim image images 128Mi
  check "it grows while the pod uses it" within 60 grown 100
  check "and the claim says so" within 30 claim_is image capacity 128Mi
  check "it has what it had" reads drawer drawn
  rm $manifests/drawer.yaml
  check "the pod goes" gone drawer 60s
  add_user drawer image
  check "the next one is ready" ready drawer 90s
  check "and has what the first one wrote" reads drawer drawn
  rm $manifests/drawer.yaml $manifests/claim-image.yaml
  check "it goes too" gone drawer 60s
  check "and the claim" claim_gone image
  check "and its loop device" within 30 let_go
}

# A file system with project quotas, which claims of the class "limited" lie on.
quota_mount() { mkdir -p /srv/quota && mount -o loop,prjquota /var/tmp/quota.image /srv/quota; }
quota_made() {
  truncate --size=400M /var/tmp/quota.image
  mkfs.ext4 -q -O quota,project -E quotatype=prjquota,lazy_itable_init=1,nodiscard /var/tmp/quota.image && quota_mount
}
write_mib() { as_nobody_in "$1" dd if=/dev/zero of=data bs=1M count="$2" conv=fsync status=none; }

limited() {
  local path
  echo "# a limit"
  check "a file system with project quotas is mounted" quota_made
  add_class limited directory.mooring.io $'parameters: {path: /srv/quota/volumes}\nallowVolumeExpansion: true'
  add_claim limited limited 16Mi
  add_user writer limited
  check "a pod with a claim on it is ready" ready writer 60s
  path=$(path_of writer data)
  check "what fits is written" write_mib "$path" 12
  check "what does not fit is refused" refused "Disk quota exceeded" write_mib "$path" 24
  add_claim limited limited 64Mi
  check "it grows" within 30 claim_is limited capacity 64Mi
  check "now it fits" write_mib "$path" 24
  check "and there is a limit still" refused "Disk quota exceeded" write_mib "$path" 80
  check "beside it there is room" test "$(df --output=avail --block-size=1M /srv/quota | tail -n 1)" -ge 150
  rm $manifests/writer.yaml $manifests/claim-limited.yaml
  check "the pod goes" gone writer 60s
  check "and the claim" claim_gone limited
  check "and its directory" within 30 entries /srv/quota/volumes ""
}

remember() {
  add_user neighbour near
  check "a pod has the claim of this node" ready neighbour 60s
  check "and writes" write_in neighbour "of this node"
  check "all claims are bound" same "$(mooringctl get pvc -o json | jq -r '[.items[].phase] | unique | join(" ")')" Bound
  bindings >/root/bindings
  sync
}
bindings() { mooringctl get pvc -o json | jq -r '.items[] | [.metadata.name, .metadata.uid, .volume] | join(" ")' | sort; }
same_bindings() { same "$(bindings)" "$(cat /root/bindings)"; }

again() {  # HOW
  check "mooringd has been started by the boot ($1)" within 60 systemctl is-active mooringd
  check "each claim has the volume that it had ($1)" within 30 same_bindings
  check "though the server is down ($1)" fails nfs_answers
  check "the pod on this node is ready ($1)" ready neighbour 60s
  check "with its data ($1)" reads neighbour "of this node"
  check "the server starts ($1)" nfs_start
  check "the pod of the server is ready ($1)" ready client 200s
  check "with its data ($1)" reads client "over the network"
}

case $stage in
  start)
    configure
    check "the NFS server starts" nfs_start
    check "mooringd starts" systemctl enable --now --quiet mooringd.service
    static_volume
    stateful_set
    default_class
    dead_server
    hanging_server
    images
    limited
    remember
    echo "# reboot"
    reboot_to after
    ;;
  after)
    again reboot
    echo "# power cut, right after a claim was bound"
    add_claim last local 64Mi
    sync
    check "it is bound" bound last
    bindings >/root/bindings
    sync /root/bindings
    cut_power_to after_cut
    ;;
  after_cut)
    again "power cut"
    check "what was made right before it is there" test -d "$root/volumes/$(volume_of last)"
    rm $manifests/*.yaml
    check "all pods go with their manifests" gone client 60s
    check "and all claims" claim_gone pv-claim
    check "the last one too" claim_gone last
    check "nothing is left on this node" within 60 entries $root/volumes ""
    check "what others have is untouched" same_file $nfs_export/beside/file "of others"
    ;;
esac
