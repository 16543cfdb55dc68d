#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage.h"
#include "world.h"

namespace mooring::sim {

/// One simulated life of a node whose pods have volumes that outlive them: on devices, images, directories
/// and servers. As Simulation, with other things that go wrong: devices that vanish and come back under
/// another name, servers that die, formatting that ends half way, people who write to devices, unmount and
/// hold them.
class DeviceSimulation final : public World {
 public:
  explicit DeviceSimulation(std::uint64_t seed);

 private:
  // devices.cpp: what users and containers do
  void put_hardware();
  void step() override;
  std::vector<std::string> files() const override;
  std::string text_of(const std::string& file) const override;
  void node_rebooted() override;
  void user_acts();
  void write_pod();
  void remove_pod(std::string file);
  void change_storage();
  void put_file();

  // devices_node.cpp: what the hardware and other programs do
  void node_acts();
  void unplug_or_plug(Storage& storage);
  void plug(Storage& storage);
  void swap_nodes();
  void write_behind(Storage& storage);
  void unmount_behind(const Storage& storage);
  void keep_busy(Storage& storage);
  void let_go(Storage& storage);
  void change_server();
  void lead_link(const Storage& storage);
  void act_within(std::string_view call);
  bool is_used(const Storage& storage);

  // checks_devices.cpp
  void see_format(std::string_view call, const std::string& path, bool before);
  void look_at(Storage& storage);
  bool has_mounts(const Storage& storage) const;
  std::optional<std::string> check() override;
  std::optional<std::string> check_formats() const;
  std::optional<std::string> check_files() const;
  std::optional<std::string> check_loops();
  std::optional<std::string> check_mounts();
  std::optional<std::string> check_mount(const MountFact& fact, const std::vector<MountFact>& facts);
  std::optional<std::string> check_waits() const;
  std::optional<std::string> check_status();
  std::optional<std::string> check_ready(const PodStatus& status, const VolumeStatus& volume);
  std::optional<std::string> check_secrets() const;
  const kernel::fake::BlockDevice* device_with(std::uint32_t major, std::uint32_t minor);

  // devices_end.cpp
  std::optional<std::string> settle() override;
  std::optional<std::string> settle_beside_hanging();
  std::optional<std::string> settle_with_all();
  std::optional<std::string> settle_without_pods();
  void put_right();
  void end_pods_of_dead_devices();
  bool is_held_up(const StoragePod& pod, const PodVolume& volume);
  std::optional<std::string> expected_reason(const PodVolume& volume);
  std::optional<std::string> difference(bool leaves_out_hanging);
  std::optional<std::string> leftover();

  Storage* find(std::string_view name);
  const Storage* find(std::string_view name) const;
  std::string path_of(const std::string& pod, const PodVolume& volume) const;
  std::string staged_path(const Storage& storage) const;
  std::string stamp_path(const Storage& storage) const;
  bool is_image_lost(const Storage& storage) const;
  kernel::fake::BlockDevice* device_of(const Storage& storage);

  std::vector<Storage> storages_;
  std::map<std::string, StoragePod> pods_;                        ///< What the manifests say, by file.
  std::array<std::set<std::string>, server_count> server_files_;  ///< What pods wrote.
  std::array<bool, server_count> answers_{true, true};
  std::string bad_format_;      ///< The first format of what was not to be formatted.
  bool has_surprises_ = false;  ///< The world goes on between two calls of one operation.
  bool is_acting_within_ = false;
  bool was_rebooted_ = false;
  std::uint64_t numbers_ = 0;
};

}  // namespace mooring::sim
