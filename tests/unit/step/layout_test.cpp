#include "step/layout.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "base/random.h"

namespace mooring::layout {
namespace {

const PodUid uid("6a1f");
const PluginName empty_dir("kubernetes.io/empty-dir");

TEST(Layout, builds_the_paths_of_a_pod) {
  EXPECT_EQ(pod(uid), "pods/6a1f");
  EXPECT_EQ(stamp(uid), "pods/6a1f/mooring.json");
  EXPECT_EQ(volumes(uid), "pods/6a1f/volumes");
  EXPECT_EQ(plugin_volumes(uid, empty_dir), "pods/6a1f/volumes/kubernetes.io~empty-dir");
  EXPECT_EQ(volume(uid, empty_dir, VolumeDirectory("cache")),
            "pods/6a1f/volumes/kubernetes.io~empty-dir/cache");
  EXPECT_EQ(trash_entry("x"), "trash/x");
}

TEST(Layout, every_place_of_volumes_has_a_file_of_its_own_however_long_its_name_is) {
  const PluginName plugin("p.io/x");
  EXPECT_EQ(base_stamp(plugin, "/srv/volumes"), "plugins/p.io/x/bases/%2Fsrv%2Fvolumes");
  std::set<std::string> files;
  std::set<std::string> directories;
  const std::size_t longest = 700;
  for (const char last : {'a', '.', '/'}) {
    for (std::size_t size = 0; size < longest; ++size) {
      const std::string file = base_stamp(plugin, "/" + std::string(size, 'a') + last);
      EXPECT_TRUE(files.insert(file).second) << file;
      for (std::size_t slash = file.find('/'); slash != std::string::npos;
           slash = file.find('/', slash + 1)) {
        directories.insert(file.substr(0, slash));
        EXPECT_TRUE(is_path_element(file.substr(slash + 1, file.find('/', slash + 1) - slash - 1))) << file;
      }
    }
  }
  for (const std::string& file : files)
    EXPECT_EQ(directories.count(file), 0U) << file;
}

TEST(Layout, escapes_the_slash_of_a_plugin_and_back) {
  EXPECT_EQ(escape(empty_dir), "kubernetes.io~empty-dir");
  EXPECT_EQ(unescape("kubernetes.io~empty-dir"), empty_dir);
  EXPECT_EQ(escape(PluginName("plain")), "plain");
  EXPECT_EQ(escape(PluginName("a/b/c")), "a~b~c");
}

TEST(Layout, parses_what_it_builds) {
  for (const char* directory : {"cache", "pvc-1", ".hidden", "...", "with blank", "größe"}) {
    const auto parsed = parse_volume(volume(uid, empty_dir, VolumeDirectory(directory)));
    ASSERT_TRUE(parsed.has_value()) << directory;
    EXPECT_EQ(parsed->pod, uid);
    EXPECT_EQ(parsed->plugin, empty_dir);
    EXPECT_EQ(parsed->directory, VolumeDirectory(directory));
  }
}

TEST(Layout, refuses_a_path_that_is_not_exactly_a_volume) {
  for (const char* path : {"",
                           "/",
                           "pods",
                           "pods/u",
                           "pods/u/volumes",
                           "pods/u/volumes/p",
                           "pods/u/volumes/p/",
                           "pods/u/volumes/p/d/",
                           "pods/u/volumes/p/d/e",
                           "/pods/u/volumes/p/d",
                           "pods//volumes/p/d",
                           "pods/u/volumes//d",
                           "pods/u/volumes/p//d",
                           "pods/../volumes/p/d",
                           "pods/u/volumes/../d",
                           "pods/u/volumes/p/..",
                           "pods/./volumes/p/d",
                           "pods/u/volumes/p/.",
                           "trash/u/volumes/p/d",
                           "pods/u/volumeDevices/p/d",
                           "pods/u/Volumes/p/d",
                           "../pods/u/volumes/p/d",
                           "podsx/u/volumes/p/d"}) {
    EXPECT_FALSE(parse_volume(path).has_value()) << path;
  }
  EXPECT_TRUE(parse_volume("pods/u/volumes/p/d").has_value());
  EXPECT_FALSE(parse_volume(std::string_view("pods/u/volumes/p/d\0x", 20)).has_value());
  EXPECT_FALSE(parse_volume("pods/u/volumes/p/" + std::string(256, 'd')).has_value());
}

TEST(Layout, builds_and_parses_the_path_of_a_raw_device) {
  const PluginName local("kubernetes.io/local-volume");
  const std::string path = device(uid, local, VolumeDirectory("pv-1"));
  EXPECT_EQ(path, "pods/6a1f/volumeDevices/kubernetes.io~local-volume/pv-1");
  const auto parsed = parse_device(path);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->pod, uid);
  EXPECT_EQ(parsed->plugin, local);
  EXPECT_EQ(parsed->directory, VolumeDirectory("pv-1"));
  EXPECT_FALSE(parse_device(volume(uid, local, VolumeDirectory("pv-1"))).has_value());
  EXPECT_FALSE(parse_volume(path).has_value());
  EXPECT_FALSE(parse_device(path + "/x").has_value());
}

struct OfPlugin {
  std::string path;
  std::optional<PluginPath> (*parse)(std::string_view);
};

TEST(Layout, builds_and_parses_what_belongs_to_a_volume_and_to_no_pod) {
  EXPECT_EQ(staged(PluginName("kubernetes.io/local-volume"), VolumeElement("pv-1")),
            "plugins/kubernetes.io/local-volume/mounts/pv-1");
  EXPECT_EQ(format_stamp(PluginName("block.mooring.io"), VolumeElement("pv-1")),
            "plugins/block.mooring.io/formatted/pv-1");
  EXPECT_EQ(device_map(PluginName("kubernetes.io/local-volume"), VolumeElement("pv-1")),
            "plugins/kubernetes.io~local-volume/volumeDevices/pv-1");
  for (const char* name :
       {"kubernetes.io/local-volume", "block.mooring.io", "a/mounts", "mounts", "plugins"}) {
    const PluginName plugin(name);
    for (const char* handle : {"pv-1", "mounts", "formatted", "a/b", "..", ".", "%", "größe"}) {
      const auto element = escape_handle(handle);
      ASSERT_TRUE(element.has_value());
      const std::vector<OfPlugin> all{{staged(plugin, *element), parse_staged},
                                      {format_stamp(plugin, *element), parse_format_stamp},
                                      {device_map(plugin, *element), parse_device_map}};
      for (const OfPlugin& built : all) {
        const auto parsed = built.parse(built.path);
        ASSERT_TRUE(parsed.has_value()) << built.path;
        EXPECT_EQ(parsed->plugin, plugin) << built.path;
        EXPECT_EQ(parsed->volume, *element) << built.path;
        for (const OfPlugin& other : all) {
          EXPECT_EQ(other.parse(built.path).has_value(), other.path == built.path) << built.path;
        }
      }
    }
  }
}

TEST(Layout, refuses_a_path_that_is_not_exactly_of_a_plugin) {
  for (const char* path :
       {"", "/", "plugins", "plugins/p", "plugins/p/mounts", "plugins/p/mounts/", "plugins/p/mounts/n/",
        "plugins/mounts/n", "plugins//mounts/n", "plugins/p//mounts/n", "plugins/p/q/r/mounts/n",
        "plugins/p/../mounts/n", "plugins/../mounts/n", "/plugins/p/mounts/n", "pods/p/mounts/n",
        "plugins/p/mounts/..", "plugins/p/mounts/.n", "plugins/p/mounts/a b", "plugins/p/mounts/n/m"}) {
    EXPECT_FALSE(parse_staged(path).has_value()) << path;
  }
  EXPECT_TRUE(parse_staged("plugins/p/mounts/n").has_value());
  EXPECT_FALSE(parse_device_map("plugins/p/q/volumeDevices/n").has_value());
}

TEST(Handle, becomes_one_plain_path_element) {
  const std::vector<std::pair<std::string, std::string>> cases{{"pvc-1", "pvc-1"},
                                                               {"A_b.c-9", "A_b.c-9"},
                                                               {"a/b", "a%2Fb"},
                                                               {"/dev/sda", "%2Fdev%2Fsda"},
                                                               {".", "%2E"},
                                                               {"..", "%2E."},
                                                               {".new", "%2Enew"},
                                                               {"a.", "a."},
                                                               {"100%", "100%25"},
                                                               {"a b", "a%20b"},
                                                               {"a\nb", "a%0Ab"},
                                                               {"ö", "%C3%B6"},
                                                               {std::string(1, '\0'), "%00"}};
  for (const auto& [handle, element] : cases) {
    ASSERT_TRUE(escape_handle(handle).has_value()) << element;
    EXPECT_EQ(escape_handle(handle)->str(), element);
    EXPECT_EQ(unescape_handle(element), handle);
  }
}

TEST(Handle, that_is_empty_or_too_long_is_none) {
  EXPECT_FALSE(escape_handle("").has_value());
  EXPECT_FALSE(unescape_handle("").has_value());
  EXPECT_TRUE(escape_handle(std::string(200, 'a')).has_value());
  EXPECT_FALSE(escape_handle(std::string(201, 'a')).has_value());
  EXPECT_TRUE(escape_handle(std::string(66, '/')).has_value());
  EXPECT_FALSE(escape_handle(std::string(67, '/')).has_value());
}

TEST(Handle, has_no_second_spelling) {
  for (const char* element : {"%2f", "%61", "a%", "a%2", "%GG", "%2G", ".a", "a/b", "%2E%2E", "a b"})
    EXPECT_FALSE(unescape_handle(element).has_value()) << element;
}

TEST(Handle, comes_back_from_its_element_whatever_it_is) {
  Random random(4);
  std::map<std::string, std::string> seen;
  for (int round = 0; round < 20000; ++round) {
    std::string handle(1 + random.below(random.below(20) == 0 ? 210 : 12), '\0');
    const bool is_narrow = random.below(2) == 0;
    for (char& c : handle)
      c = is_narrow ? std::string_view("%.2FfEe/a")[random.below(9)] : static_cast<char>(random.below(256));
    const auto element = escape_handle(handle);
    const auto back = unescape_handle(handle);
    EXPECT_TRUE(!back || escape_handle(*back)->str() == handle) << "two spellings";
    if (!element) continue;
    EXPECT_TRUE(is_path_element(element->str()));
    EXPECT_NE(element->str().front(), '.');
    EXPECT_LE(element->str().size(), element_size_max);
    EXPECT_EQ(unescape_handle(element->str()), handle);
    const auto [other, is_new] = seen.emplace(element->str(), handle);
    EXPECT_TRUE(is_new || other->second == handle);
  }
}

TEST(PathElement, is_one_safe_name) {
  for (const char* name : {"a", "...", ".a", "a.", "~", "-", " "})
    EXPECT_TRUE(is_path_element(name)) << name;
  EXPECT_TRUE(is_path_element(std::string(255, 'a')));
}

TEST(PathElement, is_never_empty_a_dot_a_slash_a_nul_or_too_long) {
  for (const char* name : {"", ".", "..", "/", "a/b", "/a", "a/", "../a"})
    EXPECT_FALSE(is_path_element(name)) << name;
  EXPECT_FALSE(is_path_element(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_path_element(std::string(256, 'a')));
}

TEST(VolumeDirectory, is_clean_and_none_of_those_that_a_base_keeps_for_itself) {
  for (const char* directory : {"a", "a/b", "a/b/c", "...", ".a", "a/.b", "mooring", "x.mooring"})
    EXPECT_TRUE(is_volume_directory(directory)) << directory;
  for (const char* directory : {"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", ".mooring",
                                "a/.mooring", ".mooring/trash/x", "a/.mooring.json/b", "a/.mooring.json"})
    EXPECT_FALSE(is_volume_directory(directory)) << directory;
  EXPECT_FALSE(is_volume_directory(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_volume_directory("a/" + std::string(256, 'b')));
}

TEST(VolumeDirectory, its_stamp_is_found_by_its_name_and_is_not_below_it) {
  EXPECT_EQ(owner_stamp("shop/data"), ".mooring/owners/shop/data/.mooring.json");
  EXPECT_EQ(base_trash(ObjectName("pvc-1")), ".mooring/trash/pvc-1");
}

TEST(Layout, what_is_remembered_of_a_provisioned_volume_is_its_plugins) {
  EXPECT_EQ(made_stamp(PluginName("directory.mooring.io"), VolumeElement("pvc-1")),
            "plugins/directory.mooring.io/made/pvc-1");
  EXPECT_EQ(provisioner_mount(PluginName("kubernetes.io/nfs"), VolumeElement("pvc-1")),
            "plugins/kubernetes.io/nfs/provisioner/pvc-1");
}

TEST(Layout, kb_16_a_flexvolume_driver_has_its_own_place_for_staged_volumes) {
  const PluginName driver("example.com/nfs");
  const layout::VolumeElement element("pv-1");
  EXPECT_EQ(layout::flex_staged(driver, element),
            "plugins/kubernetes.io/flexvolume/example.com/nfs/mounts/pv-1");
  EXPECT_EQ(layout::flex_format_stamp(driver, element),
            "plugins/kubernetes.io/flexvolume/example.com/nfs/formatted/pv-1");
  EXPECT_EQ(layout::volume(PodUid("u1"), driver, VolumeDirectory("v")), "pods/u1/volumes/example.com~nfs/v");
}

}  // namespace
}  // namespace mooring::layout
