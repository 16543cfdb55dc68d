# shellcheck shell=bash
# Claims and PersistentVolumes as mooringctl tells of them, and pods that use them.

claim() { mooringctl get pvc "$1" -o json | jq --raw-output ".$2"; }  # NAME FIELD
volume() { mooringctl get pv "$1" -o json | jq --raw-output ".$2"; }
claim_is() { same "$(claim "$1" "$2")" "$3"; }
volume_of() { claim "$1" volume; }
volume_phase_is() { same "$(volume "$1" phase)" "$2"; }
bound() { mooringctl wait "pvc/$1" --for=bound --timeout "${2:-60s}" || { mooringctl explain "pvc/$1"; return 1; }; }
claim_gone() { mooringctl wait "pvc/$1" --for=gone --timeout "${2:-60s}"; }
no_volume() { refused "$1" mooringctl get pv "$1"; }

# sample NAME: one of the repository's sample manifests, with this guest's server and its export share.
sample() { sed "s|192.168.3.103|127.0.0.1|; s|/mnt/nfs_share|${nfs_export:-/srv/nfs}/share|" "manifests/$1.yaml"; }

# add_claim NAME CLASS SIZE: CLASS "" leaves the class out.
add_claim() {
  add_manifest "claim-$1" <<CLAIM
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $1}
spec:
  accessModes: [ReadWriteOnce]${2:+
  storageClassName: $2}
  resources: {requests: {storage: $3}}
CLAIM
}

# add_class NAME PROVISIONER [MORE]
add_class() {
  add_manifest "class-$1" <<CLASS
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: $1}
provisioner: $2
${3:-}
CLASS
}

add_user() {  # POD CLAIM: the pod has the claim as its volume "data".
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
    persistentVolumeClaim: {claimName: $2}
POD
}

# As a container's process would that is not root: from inside, the path to it may be closed.
as_nobody_in() { (cd "$1" && shift && setpriv --reuid=65534 --regid=65534 --clear-groups "$@"); }
write_in() { as_nobody_in "$(path_of "$1" data)" sh -c "echo '$2' >file && sync file"; }  # POD TEXT
reads() { same "$(timeout --signal=KILL 30 cat "$(path_of "$1" data)/file")" "$2"; }     # POD TEXT
