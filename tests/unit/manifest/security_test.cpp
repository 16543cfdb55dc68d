#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifest/parse.h"

namespace mooring::manifest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A pod with this securityContext, of itself and of its container.
ParsedFile parse(const std::string& of_pod, const std::string& of_container = "{}") {
  return parse_file("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext: " + of_pod +
                        "\n  containers:\n  - {name: c, securityContext: " + of_container + "}\n",
                    "t.yaml");
}

std::string diagnostics_of(const ParsedFile& file) {
  std::string out;
  for (const Diagnostic& diagnostic : file.diagnostics)
    out += diagnostic.text() + "\n";
  return out;
}

std::shared_ptr<const Pod> pod_of(const ParsedFile& file) {
  EXPECT_EQ(file.objects.size(), 1u) << diagnostics_of(file);
  return file.objects.size() == 1 ? std::get<std::shared_ptr<const Pod>>(file.objects[0]) : nullptr;
}

TEST(Security, groups_are_read_in_their_order) {
  const auto pod = pod_of(parse("{fsGroup: 2000, supplementalGroups: [5, 0, 2147483647]}"));
  ASSERT_TRUE(pod);
  EXPECT_EQ(pod->security.fs_group, 2000);
  EXPECT_THAT(pod->security.supplemental_groups, ElementsAre(5, 0, 2147483647));
}

TEST(Security, a_group_that_is_no_group_is_refused) {
  for (const char* context : {"{fsGroup: -1}", "{fsGroup: 2147483648}", "{supplementalGroups: [-1]}",
                              "{supplementalGroups: [1, 2147483648]}"}) {
    const ParsedFile file = parse(context);
    EXPECT_TRUE(file.objects.empty()) << context;
    EXPECT_THAT(diagnostics_of(file), HasSubstr("must be between 0 and 2147483647")) << context;
  }
}

TEST(Security, an_error_names_the_group_that_is_wrong) {
  EXPECT_THAT(diagnostics_of(parse("{supplementalGroups: [1, -2]}")), HasSubstr("supplementalGroups[1]"));
}

TEST(Security, the_parts_of_a_selinux_label_are_kept_apart_for_pod_and_container) {
  const auto pod = pod_of(parse("{seLinuxOptions: {user: u, role: r, type: t, level: 's0:c1,c2'}}",
                                "{seLinuxOptions: {level: s1}}"));
  ASSERT_TRUE(pod);
  EXPECT_EQ(pod->security.selinux.user, "u");
  EXPECT_EQ(pod->security.selinux.role, "r");
  EXPECT_EQ(pod->security.selinux.type, "t");
  EXPECT_EQ(pod->security.selinux.level, "s0:c1,c2");
  EXPECT_EQ(pod->containers[0].selinux.type, "");
  EXPECT_EQ(pod->containers[0].selinux.level, "s1");
}

TEST(Security, policies_are_read_and_have_kubernetes_defaults) {
  const auto plain = pod_of(parse("{}"));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->security.supplemental_groups_policy, SupplementalGroupsPolicy::Merge);
  EXPECT_EQ(plain->security.selinux_change_policy, SelinuxChangePolicy::MountOption);
  const auto given = pod_of(parse("{supplementalGroupsPolicy: Strict, seLinuxChangePolicy: Recursive}"));
  ASSERT_TRUE(given);
  EXPECT_EQ(given->security.supplemental_groups_policy, SupplementalGroupsPolicy::Strict);
  EXPECT_EQ(given->security.selinux_change_policy, SelinuxChangePolicy::Recursive);
}

TEST(Security, a_policy_that_is_not_known_is_only_warned_of) {
  const ParsedFile file = parse("{supplementalGroupsPolicy: Loose, seLinuxChangePolicy: Never}");
  const auto pod = pod_of(file);
  ASSERT_TRUE(pod);
  EXPECT_EQ(pod->security.supplemental_groups_policy, SupplementalGroupsPolicy::Merge);
  EXPECT_EQ(pod->security.selinux_change_policy, SelinuxChangePolicy::MountOption);
  EXPECT_THAT(diagnostics_of(file), HasSubstr("\"Loose\" is not known"));
  EXPECT_THAT(diagnostics_of(file), HasSubstr("\"Never\" is not known"));
}

TEST(IsReadOnly, is_what_the_source_says_and_false_for_one_that_cannot_say_it) {
  EXPECT_TRUE(is_read_only(NfsSource{"server", "/", true}));
  EXPECT_FALSE(is_read_only(NfsSource{"server", "/", false}));
  EXPECT_TRUE(is_read_only(ClaimSource{"claim", true}));
  CsiSource csi;
  csi.read_only = true;
  EXPECT_TRUE(is_read_only(csi));
  FlexVolumeSource flex;
  flex.read_only = true;
  EXPECT_TRUE(is_read_only(flex));
  EXPECT_FALSE(is_read_only(EmptyDirSource{}));
  EXPECT_FALSE(is_read_only(ConfigMapSource{}));
}

}  // namespace
}  // namespace mooring::manifest
