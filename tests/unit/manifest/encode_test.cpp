// What is written of volumes and claims is read back as the same.

#include "manifest/encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/random.h"
#include "manifest/parse.h"

namespace mooring::manifest {
namespace {

using testing::HasSubstr;
using testing::Not;

template <class T>
std::shared_ptr<const T> read_back(const std::string& text) {
  const ParsedFile file = parse_file(text, "row");
  for (const Diagnostic& diagnostic : file.diagnostics)
    ADD_FAILURE() << diagnostic.text() << "\n" << text;
  if (file.objects.size() != 1) return nullptr;
  return std::get<std::shared_ptr<const T>>(file.objects[0]);
}

template <class T>
void expect_same_after_writing(const T& object) {
  const std::string text = encode(object);
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  const auto read = read_back<T>(text);
  ASSERT_NE(read, nullptr) << text;
  EXPECT_TRUE(*read == object) << text << "\n" << encode(*read);
}

std::string content_of(const std::filesystem::path& file) {
  std::ostringstream content;
  content << std::ifstream(file, std::ios::binary).rdbuf();
  return std::move(content).str();
}

TEST(Encode, each_volume_and_claim_of_the_sample_manifests_is_the_same_after_writing) {
  int volumes = 0;
  int claims = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(MOORING_TEST_DATA "/manifests")) {
    if (!entry.is_regular_file()) continue;
    for (const Object& object : parse_file(content_of(entry.path()), "t.yaml").objects) {
      if (const auto* volume = std::get_if<std::shared_ptr<const PersistentVolume>>(&object)) {
        expect_same_after_writing(**volume);
        ++volumes;
      }
      if (const auto* claim = std::get_if<std::shared_ptr<const PersistentVolumeClaim>>(&object)) {
        expect_same_after_writing(**claim);
        ++claims;
      }
    }
  }
  EXPECT_GE(volumes, 3);
  EXPECT_GE(claims, 3);
}

TEST(Encode, kb_15_3_the_access_mode_that_was_written_first_stays_the_first) {
  const std::string text =
      "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv}\nspec: {capacity: {storage: 5Gi}, "
      "accessModes: [ReadWriteMany, ReadWriteOnce], nfs: {server: s, path: /p}}\n";
  const auto volume = read_back<PersistentVolume>(text);
  ASSERT_NE(volume, nullptr);
  EXPECT_EQ(volume->first_access_mode, AccessMode::ReadWriteMany);
  expect_same_after_writing(*volume);
  PersistentVolume other = *volume;
  other.first_access_mode.reset();
  EXPECT_FALSE(other == *volume);
  EXPECT_EQ(read_back<PersistentVolume>(encode(other))->first_access_mode, std::nullopt);
}

TEST(Encode, kb_15_3_so_does_that_of_a_claim) {
  const std::string text =
      "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec: {resources: {requests: "
      "{storage: 5Gi}}, accessModes: [ReadWriteMany, ReadOnlyMany]}\n";
  const auto claim = read_back<PersistentVolumeClaim>(text);
  ASSERT_NE(claim, nullptr);
  EXPECT_EQ(claim->first_access_mode, AccessMode::ReadWriteMany);
  expect_same_after_writing(*claim);
  PersistentVolumeClaim other = *claim;
  other.first_access_mode.reset();
  EXPECT_FALSE(other == *claim);
  EXPECT_EQ(read_back<PersistentVolumeClaim>(encode(other))->first_access_mode, std::nullopt);
}

/// Volumes and claims with any mix of fields, and texts that are hard to write.
class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  PersistentVolume volume() {
    PersistentVolume volume;
    volume.name = ObjectName(name());
    volume.labels = texts();
    volume.annotations = texts();
    volume.capacity = quantity();
    volume.access_modes = modes();
    volume.first_access_mode = first_of(volume.access_modes);
    volume.volume_mode = one_of({VolumeMode::Filesystem, VolumeMode::Block});
    volume.reclaim_policy = one_of({ReclaimPolicy::Retain, ReclaimPolicy::Delete, ReclaimPolicy::Recycle});
    if (chance()) volume.storage_class = text();
    for (int i = number(3); i > 0; --i)
      volume.mount_options.push_back(text());
    volume.source = source();
    if (chance() || std::holds_alternative<LocalSource>(volume.source)) volume.node_affinity = affinity();
    if (chance()) volume.claim = ClaimReference{key(), chance() ? text() : ""};
    volume.is_being_deleted = chance();
    return volume;
  }

  PersistentVolumeClaim claim() {
    PersistentVolumeClaim claim;
    claim.key = key();
    if (chance()) claim.uid = "4f1b-" + std::to_string(number(1000));
    claim.labels = texts();
    claim.annotations = texts();
    claim.access_modes = modes();
    claim.first_access_mode = first_of(claim.access_modes);
    claim.volume_mode = one_of({VolumeMode::Filesystem, VolumeMode::Block});
    claim.request = quantity();
    if (chance()) claim.storage_class = chance() ? name() : "";
    if (chance()) claim.volume_name = text();
    claim.has_selector = chance();
    if (claim.has_selector) {
      claim.match_labels = texts();
      claim.match_expressions = requirements({"In", "NotIn", "Exists", "DoesNotExist"});
    }
    claim.is_being_deleted = chance();
    if (chance()) claim.data_source = data_source();
    return claim;
  }

 private:
  int number(int end) { return static_cast<int>(random_.below(static_cast<std::uint64_t>(end))); }
  bool chance() { return number(2) == 0; }
  std::optional<AccessMode> first_of(const std::set<AccessMode>& modes) {
    const auto first = std::next(modes.begin(), number(static_cast<int>(modes.size())));
    return first == modes.begin() ? std::nullopt : std::optional(*first);
  }
  template <class T>
  T one_of(std::initializer_list<T> all) {
    return *(all.begin() + number(static_cast<int>(all.size())));
  }
  std::string name() { return "n" + std::to_string(number(1000)) + (chance() ? ".a-b" : ""); }
  ObjectKey key() { return {Namespace("ns" + std::to_string(number(9))), ObjectName(name())}; }
  std::string text() {
    static const std::vector<std::string> parts{
        "a",      "Z",      "0644",   "yes", "null",   " ",          "  ",     "\t",     "\n",      "\r",
        "\r\n",   "\"",     "\\",     "'",   "#",      ": ",         "- ",     "---",    "\n---\n", "{",
        "[",      "%",      "@",      "~",   "&a",     "*a",         "!t",     "|",      ">",       "\x01",
        "\x1f",   "\x7f",   "\u0085", "ä",   "日本",   "\U0001F600", "\u2028", "\u2029", "\uFEFF",  "\u00A0",
        "\uFFFD", "\uFFFE", "\u0099", "\b",  "\u00AD", "\x1b[31m"};
    std::string out;
    for (int i = number(5); i >= 0; --i)
      out += parts[static_cast<std::size_t>(number(static_cast<int>(parts.size())))];
    return out;
  }
  std::map<std::string, std::string> texts() {
    std::map<std::string, std::string> out;
    for (int i = number(4); i > 0; --i)
      out[text()] = chance() ? text() : "";
    return out;
  }
  Quantity quantity() {
    const auto text =
        one_of<std::string>({"1Gi", "1G", "1.5", "100m", "800E", "1e3", "3Ki", "1n", "12345678901"});
    return Quantity::parse(text).value();
  }
  std::set<AccessMode> modes() {
    if (number(5) == 0) return {AccessMode::ReadWriteOncePod};
    std::set<AccessMode> out{one_of({AccessMode::ReadWriteOnce, AccessMode::ReadOnlyMany})};
    if (chance()) out.insert(AccessMode::ReadWriteMany);
    return out;
  }
  std::vector<SelectorRequirement> requirements(std::initializer_list<std::string> operations) {
    std::vector<SelectorRequirement> out;
    for (int i = number(3); i > 0; --i) {
      SelectorRequirement requirement{text(), one_of(operations), {}};
      if (requirement.operation.ends_with("In")) requirement.values = {text(), text()};
      if (requirement.operation.ends_with("t") && requirement.operation.size() == 2)
        requirement.values = {"7"};
      out.push_back(std::move(requirement));
    }
    return out;
  }
  NodeAffinity affinity() {
    NodeAffinity out;
    for (int i = number(3); i >= 0; --i) {
      NodeSelectorTerm term;
      term.expressions = requirements({"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"});
      if (chance()) term.fields.push_back({"metadata.name", one_of<std::string>({"In", "NotIn"}), {text()}});
      out.terms.push_back(std::move(term));
    }
    return out;
  }
  PersistentSource source() {
    switch (number(6)) {
      case 0:
        return HostPathSource{"/srv/" + text(), one_of<std::string>({"", "Directory", "DirectoryOrCreate"})};
      case 1:
        return NfsSource{text(), "/" + text(), chance()};
      case 2:
        return LocalSource{"/mnt/" + text(), chance() ? "xfs" : ""};
      case 3:
        return csi();
      case 4:
        return FlexVolumeSource{"k8s/x", chance() ? "ext4" : "", chance(), options(),
                                text(),  chance() ? text() : ""};
      default:
        return OtherSource{one_of<std::string>({"iscsi", "rbd", "awsElasticBlockStore"})};
    }
  }
  CsiSource csi() {
    CsiSource out{"block.mooring.io", chance() ? "ext4" : "", chance(), texts(), {}, text()};
    for (auto* secret : {&out.controller_publish_secret, &out.node_stage_secret, &out.node_publish_secret,
                         &out.node_expand_secret, &out.controller_expand_secret}) {
      if (chance()) *secret = key();
    }
    if (out.node_publish_secret) out.publish_secret_name = out.node_publish_secret->name.str();
    return out;
  }
  DataSource data_source() {
    if (chance()) return {"snapshot.storage.k8s.io", "VolumeSnapshot", name(), chance() ? "ns1" : ""};
    return chance() ? DataSource{"", "PersistentVolumeClaim", name(), ""}
                    : DataSource{text(), text(), name(), ""};
  }
  std::map<std::string, std::string> options() {
    return chance() ? std::map<std::string, std::string>{{"size", text()}}
                    : std::map<std::string, std::string>{};
  }

  Random random_;
};

TEST(Encode, whatever_a_volume_or_claim_says_is_the_same_after_writing) {
  for (std::uint64_t seed = 1; seed <= 400 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Maker maker(seed);
    expect_same_after_writing(maker.volume());
    expect_same_after_writing(maker.claim());
  }
}

TEST(Encode, a_person_can_read_it_as_kubernetes_writes_it) {
  PersistentVolumeClaim claim;
  claim.key = {Namespace("shop"), ObjectName("data")};
  claim.access_modes = {AccessMode::ReadWriteOnce};
  claim.request = Quantity::parse("1Gi").value();
  claim.storage_class = "";
  EXPECT_EQ(
      encode(claim),
      R"({"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"namespace":"shop","name":"data"},)"
      R"("spec":{"accessModes":["ReadWriteOnce"],"volumeMode":"Filesystem",)"
      R"("resources":{"requests":{"storage":"1Gi"}},"storageClassName":""}})");
  claim.storage_class = std::nullopt;
  EXPECT_THAT(encode(claim), Not(HasSubstr("storageClassName"))) << "no class, and the empty one, differ";
}

}  // namespace
}  // namespace mooring::manifest
