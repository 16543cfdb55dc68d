// What StorageClasses of CSI drivers say (external-provisioner).

#include "provision/csi_class.h"

#include "provision_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

struct ClassOfDriver : Asked {
  ClassOfDriver() { claim.annotations["example.com/secret"] = "own"; }
  Result<CsiClass> read() const { return read_csi_class(storage_class, claim, volume); }
  CsiClass well() const {
    auto found = read();
    if (found) return std::move(found).value();
    ADD_FAILURE() << found.error().text();
    return {};
  }
  void set_secret(const std::string& name, const std::string& name_space) {
    set("csi.storage.k8s.io/provisioner-secret-name", name);
    set("csi.storage.k8s.io/provisioner-secret-namespace", name_space);
  }
};

std::string text_of(const std::optional<ObjectKey>& key) {
  return key ? key->text() : "none";
}

TEST(CsiClass, csi_reserved_parameters_do_not_reach_the_driver) {
  ClassOfDriver asked;
  asked.set("type", "fast");
  asked.set("csi.storage.k8s.io/fstype", "xfs");
  asked.set_secret("s", "system");
  const CsiClass found = asked.well();
  EXPECT_THAT(found.parameters, ElementsAre(Pair("type", "fast")));
  EXPECT_EQ(found.fs_type, "xfs");
  EXPECT_EQ(text_of(found.provisioner_secret), "system/s");
  EXPECT_EQ(text_of(found.node_stage_secret), "none");
}

TEST(CsiClass, csi_each_secret_has_its_keys) {
  const std::pair<const char*, std::optional<ObjectKey> CsiClass::*> cases[] = {
      {"provisioner", &CsiClass::provisioner_secret},
      {"controller-publish", &CsiClass::controller_publish_secret},
      {"node-stage", &CsiClass::node_stage_secret},
      {"node-publish", &CsiClass::node_publish_secret},
      {"controller-expand", &CsiClass::controller_expand_secret},
      {"node-expand", &CsiClass::node_expand_secret}};
  ClassOfDriver asked;
  for (const auto& [name, secret] : cases) {
    const std::string key = std::string("csi.storage.k8s.io/") + name + "-secret-name";
    asked.set(key, name);
    asked.set(key + "space", "system");
  }
  const CsiClass found = asked.well();
  for (const auto& [name, secret] : cases)
    EXPECT_EQ(text_of(found.*secret), std::string("system/") + name);
}

TEST(CsiClass, csi_a_call_without_a_secret_of_its_own_has_the_one_of_all) {
  ClassOfDriver asked;
  asked.set("csi.storage.k8s.io/secret-name", "all");
  asked.set("csi.storage.k8s.io/secret-namespace", "system");
  asked.set_secret("own", "system");
  EXPECT_EQ(text_of(asked.well().provisioner_secret), "system/own");
  EXPECT_EQ(text_of(asked.well().node_expand_secret), "system/all");
}

TEST(CsiClass, csi_old_keys_count_and_reach_the_driver) {
  ClassOfDriver asked;
  asked.set("csiNodeStageSecretName", "s");
  asked.set("csiNodeStageSecretNamespace", "system");
  asked.set("fsType", "ext4");
  const CsiClass found = asked.well();
  EXPECT_EQ(text_of(found.node_stage_secret), "system/s");
  EXPECT_EQ(found.fs_type, "ext4");
  EXPECT_EQ(found.parameters.size(), 3u);
}

TEST(CsiClass, csi_templates_of_secrets) {
  struct Case {
    const char* name;
    const char* name_space;
    const char* expected;
  };
  const Case cases[] = {
      {"${pvc.name}", "${pvc.namespace}", "shop/data"},
      {"a-${pv.name}-b", "system", "system/a-pvc-0b1c-b"},
      {"${pvc.namespace}.${pvc.annotations['example.com/secret']}", "${pv.name}", "pvc-0b1c/shop.own"}};
  for (const Case& c : cases) {
    ClassOfDriver asked;
    asked.set_secret(c.name, c.name_space);
    EXPECT_EQ(text_of(asked.well().provisioner_secret), c.expected);
  }
}

TEST(CsiClass, csi_a_claim_does_not_choose_the_namespace_of_a_secret) {
  for (const char* name_space : {"${pvc.name}", "${pvc.annotations['example.com/secret']}"}) {
    ClassOfDriver asked;
    asked.set_secret("s", name_space);
    EXPECT_FALSE(asked.read()) << name_space;
  }
}

TEST(CsiClass, what_makes_no_secret_is_refused) {
  const std::pair<const char*, const char*> cases[] = {{"${pvc.uid}", "system"},
                                                       {"$pvc.name", "system"},
                                                       {"${pvc.name", "system"},
                                                       {"$$", "system"},
                                                       {"${}", "system"},
                                                       {"s", "System"},
                                                       {"s", "a.b"},
                                                       {"-s", "system"},
                                                       {"", "system"},
                                                       {"s", ""},
                                                       {"../s", "system"},
                                                       {"${pvc.annotations['other']}", "system"}};
  for (const auto& [name, name_space] : cases) {
    ClassOfDriver asked;
    asked.set_secret(name, name_space);
    const auto found = asked.read();
    ASSERT_FALSE(found) << name << " " << name_space;
    EXPECT_EQ(found.error().reason, "InvalidParameters");
    EXPECT_EQ(found.error().kind, ErrorKind::Final);
    EXPECT_THAT(found.error().message, HasSubstr("provisioner-secret"));
    EXPECT_FALSE(found.error().remedy.empty());
  }
}

TEST(CsiClass, what_is_said_by_halves_twice_or_wrongly_is_refused) {
  const std::map<std::string, std::string> cases[] = {
      {{"csi.storage.k8s.io/node-stage-secret-name", "s"}},
      {{"csi.storage.k8s.io/node-stage-secret-namespace", "s"}},
      {{"csi.storage.k8s.io/fstype", "xfs"}, {"fstype", "xfs"}},
      {{"csiProvisionerSecretName", "s"},
       {"csiProvisionerSecretNamespace", "n"},
       {"csi.storage.k8s.io/provisioner-secret-name", "s"},
       {"csi.storage.k8s.io/provisioner-secret-namespace", "n"}},
      {{"csi.storage.k8s.io/fsType", "xfs"}},
      {{"csi.storage.k8s.io/node-stage-secret", "s"}}};
  for (const auto& parameters : cases) {
    ClassOfDriver asked;
    asked.storage_class.parameters = parameters;
    const auto found = asked.read();
    ASSERT_FALSE(found) << parameters.begin()->first;
    EXPECT_EQ(found.error().reason, "InvalidParameters");
  }
}

}  // namespace
}  // namespace mooring
