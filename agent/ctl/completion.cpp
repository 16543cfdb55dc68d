#include "commands.h"
#include "output.h"

namespace mooring::ctl {
namespace {

constexpr const char* bash_script = R"script(# bash completion for mooringctl
# The objects of a kind, KIND/NAME each, with the options of the line that is completed.
_mooringctl_names() { mooringctl "${globals[@]}" get "$1" -o name 2>/dev/null; }
_mooringctl() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" command="" i word
  local -a globals=()
  local commands="status get describe explain wait render plan verify tree events delete release retry dump completion version"
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    case "$word" in
      --bus | -n | --namespace) globals+=("$word" "${COMP_WORDS[i + 1]}") ;;
      --bus=* | --namespace=*) globals+=("$word") ;;
    esac
    if [[ -z "$command" && " $commands " == *" $word "* ]]; then command="$word"; fi
  done
  case "$previous" in
    -o | --output) COMPREPLY=($(compgen -W "table wide json yaml name" -- "$current")); return ;;
    --color) COMPREPLY=($(compgen -W "auto always never" -- "$current")); return ;;
    --for) COMPREPLY=($(compgen -W "ready bound gone" -- "$current")); return ;;
    --runtime) COMPREPLY=($(compgen -W "oci podman nspawn cri" -- "$current")); return ;;
    --bus) COMPREPLY=($(compgen -W "system session unix:path=" -- "$current")); return ;;
    --filename | --root-dir) COMPREPLY=($(compgen -f -- "$current")); return ;;
    device | devices)
      COMPREPLY=($(compgen -W "$(_mooringctl_names devices | sed 's:^device/::')" -- "$current")); return ;;
    driver | drivers)
      COMPREPLY=($(compgen -W "$(_mooringctl_names drivers | sed 's:^driver/::')" -- "$current")); return ;;
    pvc | persistentvolumeclaim | persistentvolumeclaims | pv | persistentvolume | persistentvolumes | \
      sc | storageclass | storageclasses)
      COMPREPLY=($(compgen -W "$(_mooringctl_names "$previous" | sed 's:^[^/]*/::')" -- "$current")); return ;;
    -f) [[ "$command" == events ]] || { COMPREPLY=($(compgen -f -- "$current")); return; } ;;
  esac
  if [[ "$current" == -* ]]; then
    local options="--bus --namespace --all-namespaces --output --watch --color --help"
    case "$command" in
      status) options+=" -x" ;;
      wait) options+=" --for --timeout" ;;
      render) options+=" --container --runtime --process --devices" ;;
      plan | verify) options+=" --filename --root-dir --node-name" ;;
      events) options+=" --follow" ;;
      release) options+=" --forget" ;;
    esac
    COMPREPLY=($(compgen -W "$options" -- "$current"))
    return
  fi
  case "$command" in
    "") COMPREPLY=($(compgen -W "$commands" -- "$current")) ;;
    get | describe) COMPREPLY=($(compgen -W "pods volumes events plugins pv pvc sc volumesnapshots devices drivers" -- "$current")) ;;
    explain | wait) COMPREPLY=($(compgen -W "$(_mooringctl_names pods; _mooringctl_names pvc)" -- "$current")) ;;
    render | retry) COMPREPLY=($(compgen -W "$(_mooringctl_names pods)" -- "$current")) ;;
    delete) COMPREPLY=($(compgen -W "$(_mooringctl_names pvc)" -- "$current")) ;;
    release) COMPREPLY=($(compgen -W "$(_mooringctl_names pv; _mooringctl_names volumesnapshots)" -- "$current")) ;;
    plan | verify) COMPREPLY=($(compgen -f -- "$current")) ;;
    completion) COMPREPLY=($(compgen -W "bash" -- "$current")) ;;
  esac
}
complete -F _mooringctl mooringctl
)script";

}  // namespace

ExitStatus run_completion(const Options&) {
  answer(bash_script);
  return ExitStatus::Ok;
}

}  // namespace mooring::ctl
