#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "actual/record.h"
#include "base/quantity.h"
#include "base/quote.h"
#include "content/downward_api.h"
#include "content/environment.h"
#include "csi/answers.h"
#include "csi/probe_answers.h"
#include "csi/volume_data.h"
#include "driver/registration.h"
#include "entries.h"
#include "facts/mount_table.h"
#include "manifest/base64.h"
#include "manifest/parse.h"
#include "mutator.h"
#include "operation/stamp.h"
#include "wire/message.h"

namespace mooring::fuzz {
namespace {

constexpr int mutations = 20'000;

using Entry = std::string (*)(std::string_view);

std::vector<std::string> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> contents;
  for (const std::filesystem::path& path : paths) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream bytes;
    bytes << in.rdbuf();
    contents.push_back(bytes.str());
  }
  return contents;
}

std::vector<std::string> corpus(const std::string& name) {
  std::vector<std::string> seeds = files_in(std::filesystem::path(MOORING_FUZZ_CORPUS) / name);
  EXPECT_FALSE(seeds.empty());
  return seeds;
}

/// A copy of its own size, so that AddressSanitizer sees a read past the end.
std::string check_exactly(Entry entry, const std::string& text) {
  const std::vector<char> exact(text.begin(), text.end());
  return entry({exact.data(), exact.size()});
}

void run(Entry entry, const std::vector<std::string>& seeds, int count = mutations) {
  ASSERT_FALSE(seeds.empty());
  for (const std::string& seed : seeds)
    EXPECT_EQ(check_exactly(entry, seed), "") << mooring::quoted(seed);
  Random random(20260301);
  for (int i = 0; i < count; ++i) {
    const std::string text = mutated(seeds, random);
    const std::string finding = check_exactly(entry, text);
    ASSERT_EQ(finding, "") << "mutation " << i << " of " << text.size()
                           << " bytes: " << mooring::quoted(text);
  }
}

/// Messages of this build: those of the corpus may be of an older one.
std::vector<std::string> wire_seeds() {
  Operation operation;
  operation.id = OperationId{7};
  operation.pod = PodUid("u1");
  operation.lane = Lane::Own;
  operation.what = "publish default/web/cache";
  operation.steps = {
      MakePodDirectory{PodUid("u1"), Namespace("default"), ObjectName("web")},
      MakeDirectory{"pods/u1/a", 0777},
      MountTmpfs{"pods/u1/a", 4096, 01777},
      MountHugetlbfs{"pods/u1/a", 4096},
      BindMount{"/s", "pods/u1/a", true, true},
      Unmount{"pods/u1/a", {"tmpfs", "hugetlbfs"}},
      DiscardDirectory{"pods/u1/a", "t"},
      EmptyTrash{"t"},
      RemovePodDirectory{PodUid("u1")},
      MakeVolumeDirectory{"/srv/v", "a/b", ObjectName("pvc-1"), 0777, "plugins/x/made/pvc-1"},
      RemoveVolumeDirectory{"/srv/v", "a/b", ObjectName("pvc-1"), "plugins/x/made/pvc-1"},
      SetAsideVolumeDirectory{"/srv/v", "a/b", ObjectName("pvc-1"), "archived-b"},
      EmptyDirectory{"/srv/data"},
      PrepareImage{"/srv/v/pvc-1.img"},
      RemoveImage{"/srv/v/pvc-1.img", "i", "f"},
      CheckHostPath{"/s", HostPathType::Socket, "/"},
      WatchHostPath{"/s", std::nullopt},
      PublishFiles{"pods/u1/c", "..v", {{"a/b", 0400, SecretBytes("x")}, {}}, {"m"}},
      ScanTree{},
      PublishFlexVolume{{DriverName("v/d"), "/flex/v~d/d", {"attach"}},
                        {"pv", "ext4", true, {{"k", "v"}}},
                        {PodUid("u1"), Namespace("n"), ObjectName("p"), "s", 1, {{"key", SecretBytes("x")}}},
                        "pods/u1/x",
                        "plugins/x"}};
  Outcome failed;
  failed.error = Error{ErrorKind::Final, "MountFailed", "it failed", "mount", "/a", 16, "wait", {"a", "b"}};
  failed.watches = {4};
  Outcome scanned;
  FoundPod pod;
  pod.uid = PodUid("u1");
  pod.volumes = {{PluginName("kubernetes.io/empty-dir"), VolumeDirectory("v"), true}};
  pod.strangers = {"odd"};
  scanned.tree = TreeFacts{{pod, FoundPod{}}, {"t"}};
  std::vector<std::string> seeds;
  for (const wire::Message& message : {wire::Message(wire::Welcome{1, "/var/lib/mooring", 2049, 12}),
                                       wire::Message(wire::Hello{1, 7, "/r", "problem"}),
                                       wire::Message(wire::Batch{{operation, Operation{}}}),
                                       wire::Message(wire::Outcomes{{failed, scanned}})})
    seeds.push_back(wire::encode(message));
  return seeds;
}

TEST(FuzzSeeds, manifest) {
  std::vector<std::string> seeds = corpus("manifest");
  const std::vector<std::string> real = files_in(MOORING_TEST_DATA "/manifests");
  ASSERT_FALSE(real.empty());
  seeds.insert(seeds.end(), real.begin(), real.end());
  run(check_manifest, seeds);
}

TEST(FuzzSeeds, mountinfo) {
  run(check_mountinfo, corpus("mountinfo"));
}

TEST(FuzzSeeds, wire) {
  std::vector<std::string> seeds = corpus("wire");
  for (const std::string& seed : wire_seeds()) {
    EXPECT_TRUE(wire::decode(seed).has_value());
    seeds.push_back(seed);
  }
  run(check_wire, seeds);
}

TEST(FuzzSeeds, registration) {
  run(check_registration_answers, corpus("registration"));
}

TEST(FuzzSeeds, record) {
  run(check_record, corpus("record"));
}

TEST(FuzzSeeds, stamp) {
  run(check_stamp, corpus("stamp"));
}

TEST(FuzzSeeds, quantity) {
  run(check_quantity, corpus("quantity"));
}

// Fewer of these two: each is parsed or expanded several ways.
TEST(FuzzSeeds, content) {
  run(check_content, corpus("content"), mutations / 4);
}

TEST(FuzzSeeds, sub_path) {
  run(check_sub_path, corpus("sub_path"), mutations / 4);
}

TEST(FuzzSeeds, field_path) {
  run(check_field_path, corpus("field_path"));
}

TEST(FuzzSeeds, base64) {
  run(check_base64, corpus("base64"));
}

TEST(FuzzSeeds, go_quote) {
  run(check_go_quote, corpus("go_quote"));
}

TEST(FuzzSeeds, volume_answers) {
  run(check_volume_answers, corpus("volume_answers"));
}

TEST(FuzzSeeds, volume_data) {
  run(check_volume_data, corpus("volume_data"));
}

TEST(FuzzSeeds, flex_answer) {
  run(check_flex_answer, corpus("flex_answer"));
}

// A corpus that every reader refuses at once would prove nothing.
TEST(FuzzCorpus, has_seeds_that_are_accepted_and_seeds_that_are_refused) {
  const auto accepted = [](const std::string& name, const auto& is_accepted) {
    const std::vector<std::string> seeds = corpus(name);
    const auto count = std::count_if(seeds.begin(), seeds.end(), is_accepted);
    EXPECT_GT(count, 0) << name;
    EXPECT_LT(count, static_cast<std::ptrdiff_t>(seeds.size())) << name;
  };
  accepted("manifest", [](const std::string& seed) {
    const manifest::ParsedFile file = manifest::parse_file(seed, "seed.yaml");
    return file.broken.empty() && !file.objects.empty();
  });
  accepted("content", [](const std::string& seed) {
    const manifest::ParsedFile file = manifest::parse_file(seed, "seed.yaml");
    return file.broken.empty() && !file.objects.empty();
  });
  accepted("sub_path", [](const std::string& seed) { return clean_sub_path(seed).has_value(); });
  accepted("field_path", [](const std::string& seed) { return field_text({}, seed).has_value(); });
  accepted("base64", [](const std::string& seed) { return manifest::decode_base64(seed).has_value(); });
  accepted("quantity", [](const std::string& seed) { return Quantity::parse(seed).has_value(); });
  accepted("mountinfo", [](const std::string& seed) { return MountTable::parse(seed).has_value(); });
  accepted("record", [](const std::string& seed) { return decode_record(seed).has_value(); });
  accepted("registration", [](const std::string& seed) {
    const auto info = csi::read_registration(seed);
    return info && check_registration(info.value(), "/r/d.sock");
  });
  accepted("volume_answers", [](const std::string& seed) { return csi::volume_stats(seed).has_value(); });
  accepted("volume_data", [](const std::string& seed) { return csi::decode_volume_data(seed).has_value(); });
  accepted("stamp", [](const std::string& seed) { return decode_stamp(seed).has_value(); });
}

TEST(Mutator, is_the_same_for_a_seed_and_another_for_another) {
  const std::vector<std::string> seeds{"apiVersion: v1\nkind: Pod\n", "second"};
  const auto texts = [&](std::uint64_t start) {
    Random random(start);
    std::vector<std::string> out;
    for (int i = 0; i < 100; ++i)
      out.push_back(mutated(seeds, random));
    return out;
  };
  EXPECT_EQ(texts(1), texts(1));
  EXPECT_NE(texts(1), texts(2));
  int unchanged = 0;
  for (const std::string& text : texts(1))
    unchanged += text == seeds[0] || text == seeds[1] ? 1 : 0;
  EXPECT_LT(unchanged, 20);
}

TEST(FuzzDeathTest, a_finding_ends_a_fuzz_target) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  require_nothing_found("");
  EXPECT_DEATH(require_nothing_found("it broke"), "it broke");
}

}  // namespace
}  // namespace mooring::fuzz
