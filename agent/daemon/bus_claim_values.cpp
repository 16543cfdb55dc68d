#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/bus_values.h"

namespace mooring {
namespace {

/// What is shown of the value of a parameter or mount option: nothing of what may be a secret by its name.
/// (One that names a secret, "...secret-name", is none.)
std::string shown_value(const std::string& key, const std::string& value) {
  std::string name;
  for (const char c : key)
    name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const char* word : {"password", "passwd", "pass", "key", "token", "secret"}) {
    if (name.ends_with(word)) return "(hidden)";
  }
  return value;
}

std::vector<std::string> shown_options(std::vector<std::string> options) {
  for (std::string& option : options) {
    const std::size_t equals = option.find('=');
    if (equals == std::string::npos) continue;
    const std::string key = option.substr(0, equals);
    option = key + "=" + shown_value(key, option.substr(equals + 1));
  }
  return options;
}

/// Calls `visit` with each field: its key in a dictionary, its name as a property, and its value.
template <class Visit>
void visit_fields(const ClaimStatus& claim, Visit visit) {
  visit("namespace", "Namespace", claim.name_space.str());
  visit("name", "Name", claim.name.str());
  visit("uid", "UID", claim.uid);
  visit("phase", "Phase", claim.phase);
  visit("volume", "Volume", claim.volume);
  visit("capacity", "Capacity", claim.capacity);
  visit("request", "Request", claim.request);
  visit("accessModes", "AccessModes", claim.access_modes);
  visit("volumeMode", "VolumeMode", claim.volume_mode);
  visit("storageClass", "StorageClass", claim.storage_class);
  visit("origin", "Origin", claim.origin);
  visit("owner", "Owner", claim.owner);
  visit("reason", "Reason", claim.reason);
  visit("message", "Message", claim.message);
  visit("action", "Action", claim.action);
  visit("users", "Users", claim.users);
  visit("attempts", "Attempts", claim.attempts);
  visit("nextRetry", "NextRetry", claim.next_retry);
}

template <class Visit>
void visit_fields(const PersistentVolumeStatus& volume, Visit visit) {
  visit("name", "Name", volume.name.str());
  visit("phase", "Phase", volume.phase);
  visit("capacity", "Capacity", volume.capacity);
  visit("accessModes", "AccessModes", volume.access_modes);
  visit("volumeMode", "VolumeMode", volume.volume_mode);
  visit("reclaimPolicy", "ReclaimPolicy", volume.reclaim_policy);
  visit("storageClass", "StorageClass", volume.storage_class);
  visit("claim", "Claim", volume.claim);
  visit("plugin", "Plugin", volume.plugin);
  visit("source", "Source", volume.source);
  visit("provisioner", "Provisioner", volume.provisioner);
  visit("mountOptions", "MountOptions", shown_options(volume.mount_options));
  visit("origin", "Origin", volume.origin);
  visit("reason", "Reason", volume.reason);
  visit("message", "Message", volume.message);
  visit("action", "Action", volume.action);
  visit("attempts", "Attempts", volume.attempts);
  visit("nextRetry", "NextRetry", volume.next_retry);
}

template <class Visit>
void visit_fields(const VolumeSnapshotStatus& snapshot, Visit visit) {
  visit("namespace", "Namespace", snapshot.name_space.str());
  visit("name", "Name", snapshot.name.str());
  visit("uid", "UID", snapshot.uid);
  visit("phase", "Phase", snapshot.phase);
  visit("claim", "Claim", snapshot.claim);
  visit("volume", "Volume", snapshot.volume);
  visit("content", "Content", snapshot.content);
  visit("snapshotClass", "SnapshotClass", snapshot.snapshot_class);
  visit("driver", "Driver", snapshot.driver);
  visit("handle", "Handle", snapshot.handle);
  visit("restoreSize", "RestoreSize", snapshot.restore_size);
  visit("creationTime", "CreationTime", snapshot.creation_time);
  visit("deletionPolicy", "DeletionPolicy", snapshot.deletion_policy);
  visit("origin", "Origin", snapshot.origin);
  visit("reason", "Reason", snapshot.reason);
  visit("message", "Message", snapshot.message);
  visit("action", "Action", snapshot.action);
  visit("attempts", "Attempts", snapshot.attempts);
  visit("nextRetry", "NextRetry", snapshot.next_retry);
}

/// {sv}; what is not there is left out.
class Entries {
 public:
  explicit Entries(sd_bus_message* reply) : reply_(reply) {}

  int add(const char* key, const std::string& text) { return append_entry(reply_, key, text); }
  int add(const char* key, const std::vector<std::string>& texts) {
    return append_texts_entry(reply_, key, texts);
  }
  int add(const char* key, std::uint32_t number) {
    return sd_bus_message_append(reply_, "{sv}", key, "u", number);
  }
  int add(const char* key, const std::optional<std::string>& text) { return text ? add(key, *text) : 0; }
  int add(const char* key, const std::optional<WallTime>& time) {
    return sd_bus_message_append(reply_, "{sv}", key, "t", time ? micros(*time) : 0);
  }

 private:
  sd_bus_message* reply_;
};

/// The bare value of a property.
class Property {
 public:
  explicit Property(sd_bus_message* reply) : reply_(reply) {}

  int add(const std::string& text) { return append_text(reply_, text); }
  int add(const std::vector<std::string>& texts) { return append_texts(reply_, texts); }
  int add(std::uint32_t number) { return sd_bus_message_append(reply_, "u", number); }
  int add(const std::optional<std::string>& text) { return add(text.value_or(std::string())); }
  int add(const std::optional<WallTime>& time) {
    return sd_bus_message_append(reply_, "t", time ? micros(*time) : 0);
  }

 private:
  sd_bus_message* reply_;
};

template <class Status>
int append_status(sd_bus_message* reply, const Status& status) {
  int failed = sd_bus_message_open_container(reply, 'a', "{sv}");
  visit_fields(status, [&](const char* key, std::string_view, const auto& value) {
    if (failed >= 0) failed = Entries(reply).add(key, value);
  });
  return failed < 0 ? failed : sd_bus_message_close_container(reply);
}

template <class Status>
int append_property(sd_bus_message* reply, const Status& status, std::string_view name) {
  int result = -ENOENT;
  visit_fields(status, [&](const char*, std::string_view property, const auto& value) {
    if (property == name) result = Property(reply).add(value);
  });
  return result;
}

/// {sv} with an a{sv} of strings.
int append_parameters(sd_bus_message* reply, const std::map<std::string, std::string>& parameters) {
  int failed = sd_bus_message_open_container(reply, 'e', "sv");
  if (failed >= 0) failed = sd_bus_message_append(reply, "s", "parameters");
  if (failed >= 0) failed = sd_bus_message_open_container(reply, 'v', "a{sv}");
  if (failed >= 0) failed = sd_bus_message_open_container(reply, 'a', "{sv}");
  for (const auto& [key, value] : parameters) {
    if (failed >= 0) failed = append_entry(reply, bus_text(key).c_str(), shown_value(key, value));
  }
  for (int container = 0; container < 3; ++container) {
    if (failed >= 0) failed = sd_bus_message_close_container(reply);
  }
  return failed;
}

}  // namespace

int append_claim(sd_bus_message* reply, const ClaimStatus& claim) {
  return append_status(reply, claim);
}

int append_persistent_volume(sd_bus_message* reply, const PersistentVolumeStatus& volume) {
  return append_status(reply, volume);
}

int append_volume_snapshot(sd_bus_message* reply, const VolumeSnapshotStatus& snapshot) {
  return append_status(reply, snapshot);
}

int append_claim_property(sd_bus_message* reply, const ClaimStatus& claim, std::string_view name) {
  return append_property(reply, claim, name);
}

int append_persistent_volume_property(sd_bus_message* reply, const PersistentVolumeStatus& volume,
                                      std::string_view name) {
  return append_property(reply, volume, name);
}

int append_storage_class(sd_bus_message* reply, const StorageClassStatus& storage_class) {
  int failed = sd_bus_message_open_container(reply, 'a', "{sv}");
  const std::pair<const char*, const std::string&> texts[] = {
      {"name", storage_class.name.str()},
      {"provisioner", storage_class.provisioner},
      {"reclaimPolicy", storage_class.reclaim_policy},
      {"volumeBindingMode", storage_class.binding_mode},
      {"origin", storage_class.origin},
      {"message", storage_class.message}};
  for (const auto& [key, text] : texts) {
    if (failed >= 0) failed = append_entry(reply, key, text);
  }
  if (failed >= 0) failed = append_flag(reply, "allowVolumeExpansion", storage_class.allow_volume_expansion);
  if (failed >= 0) failed = append_flag(reply, "default", storage_class.is_default);
  if (failed >= 0)
    failed = append_texts_entry(reply, "mountOptions", shown_options(storage_class.mount_options));
  if (failed >= 0) failed = append_parameters(reply, storage_class.parameters);
  return failed < 0 ? failed : sd_bus_message_close_container(reply);
}

int append_candidate(sd_bus_message* reply, const ClaimCandidate& candidate) {
  int failed = sd_bus_message_open_container(reply, 'a', "{sv}");
  if (failed >= 0) failed = append_entry(reply, "volume", candidate.volume);
  if (failed >= 0) failed = append_entry(reply, "whyNot", candidate.why_not);
  return failed < 0 ? failed : sd_bus_message_close_container(reply);
}

}  // namespace mooring
