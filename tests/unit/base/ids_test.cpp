#include "base/ids.h"

#include <gtest/gtest.h>

#include <set>
#include <type_traits>
#include <unordered_set>

namespace mooring {
namespace {

PodUid derived(const char* name_space, const char* name) {
  return derived_pod_uid(Namespace(name_space), ObjectName(name));
}

// The values were computed with another implementation of RFC 4122 (Python's uuid.uuid5).
TEST(DerivedPodUid, is_the_same_on_every_machine) {
  EXPECT_EQ(derived("default", "web").str(), "f658adbe-d5b6-53e6-8854-b6c177518e21");
  EXPECT_EQ(derived("kube-system", "web").str(), "de928538-8746-56db-a041-93657e7683e2");
}

TEST(DerivedPodUid, has_the_form_version_and_variant_of_a_uuid5) {
  for (const char* name : {"web", "a", "x.y-z", ""}) {
    const std::string text = derived("default", name).str();
    ASSERT_EQ(text.size(), 36u);
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
      const std::string_view allowed = is_hyphen ? "-" : "0123456789abcdef";
      EXPECT_NE(allowed.find(text[i]), std::string_view::npos) << text;
    }
    EXPECT_EQ(text[14], '5');
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << text;
  }
}

TEST(DerivedPodUid, is_distinct_for_each_namespace_and_name) {
  std::set<PodUid> seen;
  for (const char* name_space : {"default", "kube-system", "a", "b"}) {
    for (const char* name : {"web", "web2", "a", "b", "default"})
      EXPECT_TRUE(seen.insert(derived(name_space, name)).second);
  }
}

TEST(Id, two_kinds_do_not_mix) {
  EXPECT_FALSE((std::is_convertible_v<PodUid, VolumeName>));
  EXPECT_FALSE((std::is_convertible_v<std::string, PodUid>));
  EXPECT_FALSE((std::is_constructible_v<PodUid, VolumeName>));
}

TEST(Id, compares_and_hashes_by_its_text) {
  EXPECT_LT(PodUid("a"), PodUid("b"));
  EXPECT_EQ(PodUid(std::string("a")), PodUid(std::string_view("a")));
  EXPECT_TRUE(PodUid().empty());
  EXPECT_FALSE(PodUid("a").empty());
  const std::unordered_set<PodUid> set{PodUid("a"), PodUid("b"), PodUid("a")};
  EXPECT_EQ(set.size(), 2u);
}

TEST(ObjectKey, orders_by_namespace_first_and_has_a_text) {
  const ObjectKey first{Namespace("a"), ObjectName("z")};
  const ObjectKey second{Namespace("b"), ObjectName("a")};
  EXPECT_LT(first, second);
  EXPECT_EQ(first.text(), "a/z");
  EXPECT_LT((PodVolumeKey{PodUid("a"), VolumeName("z")}), (PodVolumeKey{PodUid("b"), VolumeName("a")}));
}

}  // namespace
}  // namespace mooring
