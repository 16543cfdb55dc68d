#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// The pod "web" is there and ready.
void publish(Shell& shell, const std::string& spec) {
  shell.start();
  shell.write_text("web.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n" + spec);
  shell.finish();
}

std::vector<ContainerMount> mounts_of(Shell& shell, const std::string& container = "") {
  const auto mounts = shell.core.container_mounts(uid_of("web"), ContainerName(container));
  EXPECT_TRUE(mounts);
  return mounts ? mounts.value() : std::vector<ContainerMount>();
}

ContainerSecurity security_of(Shell& shell, const std::string& container = "") {
  const auto security = shell.core.container_security(uid_of("web"), ContainerName(container));
  EXPECT_TRUE(security);
  return security ? security.value() : ContainerSecurity();
}

TEST(ContainerMounts, are_read_only_with_what_is_below_them_as_the_manifest_asks) {
  Shell shell;
  publish(shell,
          "  containers:\n  - name: a\n    volumeMounts:\n"
          "    - {name: v, mountPath: /rw}\n"
          "    - {name: v, mountPath: /ro, readOnly: true}\n"
          "    - {name: v, mountPath: /off, readOnly: true, recursiveReadOnly: Disabled}\n"
          "    - {name: v, mountPath: /may, readOnly: true, recursiveReadOnly: IfPossible}\n"
          "    - {name: v, mountPath: /must, readOnly: true, recursiveReadOnly: Enabled}\n"
          "  volumes: [{name: v, emptyDir: {}}]\n");
  std::vector<std::string> said;
  for (const ContainerMount& mount : mounts_of(shell)) {
    said.push_back(mount.destination + (mount.read_only ? " ro" : " rw") +
                   (mount.recursive_read_only ? " recursive" : "") +
                   (mount.recursive_read_only_required ? " required" : ""));
  }
  EXPECT_THAT(said,
              ElementsAre("/rw rw", "/ro ro", "/off ro", "/may ro recursive", "/must ro recursive required"));
}

TEST(ContainerMounts, of_a_volume_that_is_always_read_only_are_not_recursive_by_that) {
  Shell shell;
  publish(shell,
          "  containers:\n  - {name: a, volumeMounts: [{name: v, mountPath: /v}]}\n"
          "  volumes: [{name: v, configMap: {name: settings, optional: true}}]\n");
  const auto mounts = mounts_of(shell);
  ASSERT_EQ(mounts.size(), 1u);
  EXPECT_TRUE(mounts[0].read_only);
  EXPECT_FALSE(mounts[0].recursive_read_only);
  EXPECT_TRUE(mounts[0].selinux_relabel);  // Its files are Mooring's own.
}

TEST(ContainerMounts, kb_10_2_the_first_mount_of_a_volume_is_relabelled_and_no_host_path) {
  Shell shell;
  publish(shell,
          "  containers:\n"
          "  - {name: a, volumeMounts: [{name: v, mountPath: /v}, {name: v, mountPath: /again},"
          " {name: h, mountPath: /h}]}\n"
          "  - {name: b, volumeMounts: [{name: v, mountPath: /v}, {name: w, mountPath: /w}]}\n"
          "  volumes: [{name: v, emptyDir: {}}, {name: w, emptyDir: {}}, {name: h, hostPath: {path: /h}}]\n");
  const auto said = [](const std::vector<ContainerMount>& mounts) {
    std::vector<std::string> lines;
    for (const ContainerMount& mount : mounts)
      lines.push_back(mount.container.str() + mount.destination + (mount.selinux_relabel ? " relabel" : ""));
    return lines;
  };
  EXPECT_THAT(said(mounts_of(shell)), ElementsAre("a/v relabel", "a/again", "a/h", "b/v", "b/w relabel"));
  // The first is the first of the pod, whichever container is asked for.
  EXPECT_THAT(said(mounts_of(shell, "b")), ElementsAre("b/v", "b/w relabel"));
}

TEST(ContainerSecurity, has_fs_group_first_and_no_group_twice) {
  Shell shell;
  publish(shell,
          "  securityContext: {fsGroup: 2000, supplementalGroups: [7, 2000, 7, 0]}\n"
          "  containers: [{name: a}]\n");
  const ContainerSecurity security = security_of(shell, "a");
  EXPECT_EQ(security.fs_group, 2000);
  EXPECT_THAT(security.supplemental_groups, ElementsAre(2000, 7, 0));
}

TEST(ContainerSecurity, a_pod_that_asks_for_nothing_gives_nothing) {
  Shell shell;
  publish(shell, "  containers: [{name: a}]\n");
  const ContainerSecurity security = security_of(shell);
  EXPECT_EQ(security.fs_group, std::nullopt);
  EXPECT_THAT(security.supplemental_groups, IsEmpty());
  EXPECT_EQ(security.selinux_user + security.selinux_role + security.selinux_type + security.selinux_level,
            "");
}

TEST(ContainerSecurity, a_containers_part_of_the_label_stands_before_the_pods) {
  Shell shell;
  publish(shell,
          "  securityContext: {seLinuxOptions: {user: u, role: r, type: t, level: s0}}\n"
          "  containers:\n  - {name: a, securityContext: {seLinuxOptions: {type: own, level: s1}}}\n"
          "  - {name: b}\n");
  const auto label = [&](const std::string& container) {
    const ContainerSecurity one = security_of(shell, container);
    return one.selinux_user + ":" + one.selinux_role + ":" + one.selinux_type + ":" + one.selinux_level;
  };
  EXPECT_EQ(label("a"), "u:r:own:s1");
  EXPECT_EQ(label("b"), "u:r:t:s0");
  EXPECT_EQ(label(""), "u:r:t:s0");  // Of all of them.
}

TEST(ContainerSecurity, without_a_name_is_that_of_the_only_container) {
  Shell shell;
  publish(shell, "  containers: [{name: a, securityContext: {seLinuxOptions: {level: s1}}}]\n");
  EXPECT_EQ(security_of(shell).selinux_level, "s1");
}

TEST(ContainerSecurity, of_an_unknown_pod_or_container_is_an_error_that_says_which) {
  Shell shell;
  publish(shell, "  containers: [{name: a}]\n");
  const auto container = shell.core.container_security(uid_of("web"), ContainerName("other"));
  ASSERT_FALSE(container);
  EXPECT_EQ(container.error().reason, "NoSuchContainer");
  const auto pod = shell.core.container_security(uid_of("other"), ContainerName());
  ASSERT_FALSE(pod);
  EXPECT_EQ(pod.error().reason, "NoSuchPod");
}

}  // namespace
}  // namespace mooring
