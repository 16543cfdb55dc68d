#include "step/layout.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace mooring::layout
