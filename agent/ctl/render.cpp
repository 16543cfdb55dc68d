#include "status/render.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <set>

#include "ask.h"
#include "commands.h"
#include "output.h"

namespace mooring::ctl {
namespace {

/// What the containers that are asked for get.
struct Wanted {
  std::vector<ContainerMount> mounts;
  std::vector<ContainerDevice> devices;
};

Result<Wanted> ask_wanted(Client& client, const ObjectKey& key, const ContainerName& container) {
  Wanted wanted;
  MOORING_TRY(wanted.mounts, client.container_mounts(key.name_space, key.name, container));
  MOORING_TRY(wanted.devices, client.container_devices(key.name_space, key.name, container));
  return wanted;
}

/// The one container that is meant without -c; empty if none has any volume. An error if it is not clear.
Result<ContainerName> only_container(const Wanted& wanted) {
  std::set<ContainerName> names;
  for (const ContainerMount& mount : wanted.mounts)
    names.insert(mount.container);
  for (const ContainerDevice& device : wanted.devices)
    names.insert(device.container);
  if (names.empty()) return ContainerName();
  if (names.size() == 1) return *names.begin();
  std::string list;
  for (const ContainerName& name : names)
    list += (list.empty() ? "" : ", ") + name.str();
  return usage_error("the pod has several containers with volumes: choose one with -c (" + list + ")");
}

/// The node of a device, or why it cannot be given to the container.
Result<FoundDevice> look_at(const ContainerDevice& device) {
  struct stat node {};
  const bool is_there = ::stat(device.source.c_str(), &node) == 0;
  const int number = errno;
  if (is_there && S_ISBLK(node.st_mode)) {
    constexpr mode_t permissions = 0777;
    return FoundDevice{device,      major(node.st_rdev), minor(node.st_rdev), node.st_mode & permissions,
                       node.st_uid, node.st_gid};
  }
  Error error;
  error.reason = !is_there && number == EACCES ? "NotPermitted" : "DeviceMissing";
  error.message = "container " + device.container.str() + " cannot have the device of volume " +
                  device.volume.str() + ": " + device.source +
                  (is_there ? " leads to no block device" : ": " + errno_text(number));
  error.remedy = error.reason == "NotPermitted"
                     ? "ask as root"
                     : "remove the pod's manifest and put it back, which makes the device anew";
  return error;
}

Result<std::vector<FoundDevice>> look_at_all(const std::vector<ContainerDevice>& devices) {
  std::vector<FoundDevice> found;
  for (const ContainerDevice& device : devices) {
    MOORING_TRY(FoundDevice one, look_at(device));
    found.push_back(std::move(one));
  }
  return found;
}

/// An answer, and what the runtime has no words for.
struct Rendered {
  std::string text;
  std::vector<std::string> left_out;
};

/// The flags of a runtime that has nothing else.
Result<Rendered> render_flags(const std::string& runtime, const Wanted& wanted,
                              const ContainerSecurity& security) {
  MOORING_TRY(const std::vector<FoundDevice> devices, look_at_all(wanted.devices));
  if (runtime == "nspawn") {
    return Rendered{render_nspawn(wanted.mounts, security) + render_nspawn_devices(devices),
                    render_nspawn_leaves_out(wanted.mounts, security)};
  }
  MOORING_TRY(std::string flags, render_podman(wanted.mounts, security));
  MOORING_TRY(const std::string more, render_podman_devices(devices));
  return Rendered{std::move(flags) + more, render_podman_leaves_out(wanted.mounts)};
}

Result<Rendered> render_devices(const std::string& runtime, const Wanted& wanted) {
  MOORING_TRY(const std::vector<FoundDevice> devices, look_at_all(wanted.devices));
  return Rendered{runtime == "oci" ? render_oci_devices(devices) : render_cri_devices(devices), {}};
}

Rendered render_mounts(const std::string& runtime, const Wanted& wanted) {
  Rendered rendered{runtime == "oci" ? render_oci(wanted.mounts) : render_cri(wanted.mounts), {}};
  for (const ContainerDevice& device : wanted.devices) {
    rendered.left_out.push_back("the device of volume " + device.volume.str() +
                                " is no mount: --devices gives it, and without it container " +
                                device.container.str() + " must not be started");
  }
  return rendered;
}

Rendered render_process(const std::string& runtime, const ContainerSecurity& security) {
  if (runtime == "cri") return {render_cri_security(security), {}};
  return {render_oci_process(security), render_oci_process_leaves_out(security)};
}

/// What the options ask for of one container.
Result<Rendered> render(Client& client, const Options& options, const ObjectKey& key) {
  MOORING_TRY(Wanted wanted, ask_wanted(client, key, ContainerName(options.container)));
  ContainerName container(options.container);
  if (container.empty()) {
    MOORING_TRY(container, only_container(wanted));
    // By its name, so that what is made only for a container that is about to start is made.
    if (!container.empty()) {
      MOORING_TRY(wanted, ask_wanted(client, key, container));
    }
  }
  const bool is_apart = options.runtime == "oci" || options.runtime == "cri";
  if (options.with_devices) return render_devices(options.runtime, wanted);
  if (is_apart && !options.with_process) return render_mounts(options.runtime, wanted);
  MOORING_TRY(const ContainerSecurity security,
              client.container_security(key.name_space, key.name, container));
  if (is_apart) return render_process(options.runtime, security);
  return render_flags(options.runtime, wanted, security);
}

}  // namespace

ExitStatus run_render(const Options& options) {
  const bool is_apart = options.runtime == "oci" || options.runtime == "cri";
  if ((options.with_process || options.with_devices) && !is_apart) {
    const std::string flag = options.with_process ? "--process" : "--devices";
    return fail(usage_error(flag + " is for oci and cri: the flags for " + options.runtime +
                            " have everything that there is"));
  }
  const auto reference = parse_pod_reference(options, options.name, false);
  if (!reference) return fail(reference.error());
  const auto client = connect(options);
  if (!client) return fail(client.error());
  const Result<Rendered> rendered = render(*client.value(), options, reference.value().key);
  if (!rendered) return fail(rendered.error());
  for (const std::string& line : rendered.value().left_out)
    message(line);
  answer(rendered.value().text);
  return ExitStatus::Ok;
}

}  // namespace mooring::ctl
