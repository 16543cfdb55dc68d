#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "plugin/common_options.h"
#include "plugin/csi_volume.h"
#include "plugin_fixture.h"

namespace mooring::csi_question {

inline const CsiPlugin plugin;
inline const DriverName driver_name("d.example.org");
inline const VolumeKey key("kubernetes.io/csi/d.example.org^vol#1");

inline constexpr const char* secrets_text =
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: default}\nstringData: {password: "
    "hunter2}\n---\n"
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: storage}\nstringData: {password: "
    "hunter3}\n---\n"
    "apiVersion: v1\nkind: Secret\nmetadata: {name: raw, namespace: storage}\ndata: {key: /w==}\n";

/// Everything that a recipe comes from, with values that each test changes.
struct Question {
  Question() {
    driver.name = driver_name;
    driver.socket = "/run/d.sock";
    driver.node.stage_unstage = true;
    source.driver = driver_name.str();
    source.volume_handle = "vol#1";
    source.file_system_type = "ext4";
    source.attributes = {{"share", "a"}};
    volume.name = ObjectName("pv-1");
    volume.access_modes = {manifest::AccessMode::ReadWriteOnce};
    volume.mount_options = {"noatime"};
    pod.uid = PodUid("u1");
    pod.key = {Namespace("default"), ObjectName("web")};
    objects.apply(manifest::parse_file(secrets_text, "secrets.yaml"));
  }

  Result<Recipe> ask() {
    static const NodeInfo node = node_info();
    static const MountTable mounts;
    DriverSet drivers;
    if (is_registered) drivers.csi[driver.name] = driver;
    volume.source = source;
    const manifest::Volume asked{VolumeName("v"), source};
    RecipeRequest request{pod, asked, node, objects, mounts, {}, {}, {}, false, mode, nullptr, drivers};
    request.read_only = read_only;
    if (!is_inline) {
      request.persistent = &volume;
      request.directory = VolumeDirectory("pv-1");
      request.mount_options = {"joined"};
    }
    Result<Recipe> recipe = csi_volume_recipe(request, setting);
    if (!recipe) return recipe;
    return with_common_options(std::move(recipe).value(), request, plugin.support());
  }
  Recipe recipe() {
    Result<Recipe> made = ask();
    if (made) return std::move(made).value();
    ADD_FAILURE() << made.error().text();
    return {};
  }
  Error error() {
    Result<Recipe> made = ask();
    if (!made) return made.error();
    ADD_FAILURE() << "there is a recipe";
    return {};
  }

  CsiDriver driver;
  bool is_registered = true;
  manifest::CsiSource source;
  manifest::PersistentVolume volume;
  manifest::Pod pod;
  ObjectStore objects;
  CsiSetting setting;
  manifest::VolumeMode mode = manifest::VolumeMode::Filesystem;
  bool read_only = false;
  bool is_inline = false;
};

template <class S>
const S* find(const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    if (const S* found = std::get_if<S>(&step)) return found;
  }
  return nullptr;
}
template <class S>
S only(const std::vector<Step>& steps) {
  const S* found = find<S>(steps);
  if (found != nullptr) return *found;
  ADD_FAILURE() << "no such step";
  return {};
}

}  // namespace mooring::csi_question
