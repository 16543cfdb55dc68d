// Files that are cut off, mistyped or merged badly: what they held before stays, and after a start nothing
// that they may ask for is torn down.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifest/parse.h"
#include "objects/store.h"

namespace mooring {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

const std::string separator = "---\n";

std::string pod(const std::string& name) {
  return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + name +
         "\nspec:\n  containers:\n  - name: c\n    volumeMounts:\n    - name: data\n      mountPath: /data\n"
         "  volumes:\n  - name: data\n    emptyDir: {}\n";
}

ObjectKey key_of(const std::string& name) {
  return {Namespace("default"), ObjectName(name)};
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// The names of the pods that the store has.
std::vector<std::string> pods_of(const ObjectStore& store) {
  std::vector<std::string> names;
  for (const PodUid& uid : store.pods())
    names.push_back(store.find_pod(uid)->pod->key.name.str());
  std::sort(names.begin(), names.end());
  return names;
}

using Names = std::vector<std::string>;

class Store {
 public:
  void read(const std::string& text) { store_.apply(manifest::parse_file(text, "f.yaml")); }
  Names pods() const { return pods_of(store_); }
  Names problems() const { return store_.problems(); }
  bool may_ask_for(const std::string& name) const { return store_.may_ask_for(key_of(name)); }

 private:
  ObjectStore store_;
};

struct Edit {
  const char* name;
  Names held;          ///< The pods of the file before.
  std::string before;  ///< The file's text, good.
  std::string after;
};

std::string list_of(const std::string& items) {
  return "apiVersion: v1\nkind: List\nitems:" + items;
}
const std::string item =
    "\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n  spec: {containers: [{name: c}]}\n";
const std::string json_a =
    R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "c"}]}})"
    "\n";

std::vector<Edit> edits() {
  const std::string a = pod("a");
  const std::string two = a + separator + pod("b");
  const std::string three = two + separator + pod("c");
  const std::string commented = "# The pod of the shop\n" + a;
  return {
      {"a_kind_that_there_is_not", {"a", "b"}, two, replaced(two, "kind: Pod", "kind: Pods")},
      {"a_kind_in_lower_case", {"a", "b"}, two, replaced(two, "kind: Pod", "kind: pod")},
      {"a_kind_of_another_group", {"a", "b"}, two, replaced(two, "v1", "apps/v1")},
      {"a_kind_of_a_custom_group", {"a", "b"}, two, replaced(two, "v1", "example.com/v1")},
      {"a_lost_separator", {"a", "b"}, two, replaced(two, separator, "")},
      {"a_separator_of_two_dashes", {"a", "b"}, two, replaced(two, separator, "--\n")},
      {"an_indented_separator", {"a", "b"}, two, replaced(two, separator, " ---\n")},
      {"conflict_markers",
       {"a", "b"},
       two,
       replaced(two, separator, "<<<<<<< HEAD\n=======\n>>>>>>> theirs\n")},
      {"a_conflict_over_documents",
       {"a", "b"},
       two,
       a + "<<<<<<< HEAD\n---\n" + pod("c") + "=======\n---\n" + pod("d") + ">>>>>>> theirs\n"},
      {"a_conflict_over_a_name",
       {"a", "b"},
       two,
       replaced(two, "  name: a\n", "<<<<<<< HEAD\n  name: a\n=======\n  name: c\n>>>>>>> theirs\n")},
      {"a_name_that_is_none", {"a", "b"}, two, replaced(two, "name: a", "name: a_")},
      {"a_namespace_that_is_none", {"a"}, a, replaced(a, "  name: a", "  namespace: x_\n  name: a")},
      {"a_cut_inside_the_name",
       {"web-of-shop"},
       pod("web-of-shop"),
       "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web"},
      {"a_cut_behind_a_shorter_name",
       {"a", "b"},
       two,
       a + "---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n"},
      {"a_list_with_a_mapping",
       {"a"},
       list_of(item),
       list_of(" {apiVersion: v1, kind: Pod, metadata: {name: a}}\n")},
      {"a_list_without_items", {"a"}, list_of(item), "apiVersion: v1\nkind: List\n"},
      {"a_list_cut_at_items", {"a"}, list_of(item), list_of("\n")},
      {"a_list_of_null", {"a"}, list_of(item), list_of("\n- \n")},
      {"a_kind_of_list_that_is_not_read", {"a"}, list_of(item), replaced(list_of(item), "List", "PodList")},
      {"a_cut_in_the_second_of_three", {"a", "b", "c"}, three, three.substr(0, three.find("name: b") + 20)},
      {"a_cut_in_brackets",
       {"a", "b", "c"},
       three,
       a + "---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {"},
      {"a_cut_in_a_comment", {"a"}, commented, "# The po"},
      {"a_comment_and_a_separator", {"a"}, commented, "# The pod of the shop\n---\n"},
      {"an_ignored_kind_that_lost_its_name", {"a", "b"}, two, a + "---\napiVersion: v1\nkind: Service\n"},
      {"a_tail_of_zeros", {"a", "b"}, two, a + std::string(two.size() - a.size(), '\0')},
      {"zeros_behind_a_separator", {"a", "b"}, two, a + "---\n" + std::string(20, '\0')},
      {"a_stream_of_json",
       {"a", "b"},
       json_a + separator + replaced(json_a, "\"a\"", "\"b\""),
       json_a + replaced(json_a, "\"a\"", "\"b\"")},
      {"json_on_one_line_with_more",
       {"a", "b"},
       json_a + separator + replaced(json_a, "\"a\"", "\"b\""),
       json_a.substr(0, json_a.size() - 1) + ", " + replaced(json_a, "\"a\"", "\"b\"")},
      {"two_mistaken_pods_of_one_name",
       {"a", "b"},
       two,
       json_a + separator + "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: 3}\n"},
  };
}

class HalfWritten : public testing::TestWithParam<Edit> {};

TEST_P(HalfWritten, loses_no_pod_that_the_file_held) {
  Store store;
  store.read(GetParam().before);
  ASSERT_EQ(store.pods(), GetParam().held);
  ASSERT_THAT(store.problems(), IsEmpty());
  store.read(GetParam().after);
  for (const std::string& name : GetParam().held)
    EXPECT_THAT(store.pods(), Contains(name)) << testing::PrintToString(store.problems());
  EXPECT_THAT(store.problems(), Contains(StartsWith("f.yaml:")));
  const bool is_comment = !GetParam().after.empty() && GetParam().after.front() == '#';
  if (!is_comment) {
    EXPECT_THAT(store.problems(), Contains(testing::ContainsRegex("^f.yaml:[0-9]+:[0-9]+: error: ")));
  }
  store.read(GetParam().before);
  EXPECT_EQ(store.pods(), GetParam().held);
  EXPECT_THAT(store.problems(), IsEmpty());
}

TEST_P(HalfWritten, may_ask_for_any_pod_after_a_start) {
  Store store;
  store.read(GetParam().after);
  const bool is_comment = !GetParam().after.empty() && GetParam().after.front() == '#';
  // Nothing tells comments that are left of a file from comments that somebody wrote.
  EXPECT_EQ(store.may_ask_for("any"), !is_comment);
  EXPECT_EQ(store.problems().empty(), is_comment);
  store.read(GetParam().before);
  EXPECT_FALSE(store.may_ask_for("any"));
}

INSTANTIATE_TEST_SUITE_P(All, HalfWritten, testing::ValuesIn(edits()),
                         [](const auto& edit) { return std::string(edit.param.name); });

TEST(HalfWrittenFile, loses_no_pod_wherever_it_was_cut_unless_what_is_left_is_good) {
  const std::string text = "# Three pods\n" + pod("a-1") + separator + pod("b-1") + separator +
                           list_of(item) + separator + pod("c-1");
  const Names all{"a", "a-1", "b-1", "c-1"};
  std::size_t kept = 0;
  for (std::size_t length = 0; length < text.size(); ++length) {
    Store store;
    store.read(text);
    ASSERT_EQ(store.pods(), all);
    store.read(text.substr(0, length));
    const bool is_good = manifest::parse_file(text.substr(0, length), "f.yaml").broken.empty();
    if (is_good && length > 13) continue;
    ++kept;
    for (const std::string& name : all)
      EXPECT_THAT(store.pods(), Contains(name)) << text.substr(0, length);
    EXPECT_THAT(store.problems(), testing::Not(IsEmpty()));
    if (length <= 13) continue;
    Store fresh;
    fresh.read(text.substr(0, length));
    EXPECT_TRUE(fresh.may_ask_for("c-1")) << text.substr(0, length);
  }
  EXPECT_GT(kept, text.size() / 2);
}

// Its name may be what is wrong with it.
TEST(HalfWrittenFile, with_a_broken_document_that_it_did_not_hold_before_loses_no_pod) {
  const std::string broken_x = replaced(pod("x"), "emptyDir: {}", "emptyDir: 7");
  Store store;
  store.read(pod("a") + separator + pod("b"));
  store.read(broken_x + separator + pod("b"));
  EXPECT_EQ(store.pods(), (Names{"a", "b"}));
  EXPECT_THAT(store.problems(), Contains(HasSubstr("all that it held before is kept")));
}

TEST(NormalEdit, a_document_that_is_taken_out_is_gone) {
  for (const std::string gone : {"a", "b", "c"}) {
    Store store;
    store.read(pod("a") + separator + pod("b") + separator + pod("c"));
    std::string text;
    Names left;
    for (const std::string name : {"a", "b", "c"}) {
      if (name == gone) continue;
      text += (text.empty() ? "" : separator) + pod(name);
      left.push_back(name);
    }
    store.read(text);
    EXPECT_EQ(store.pods(), left);
    EXPECT_THAT(store.problems(), IsEmpty());
  }
}

TEST(NormalEdit, an_item_that_is_taken_out_of_a_list_is_gone_and_so_is_the_last) {
  Store store;
  store.read(list_of(item + replaced(item, "name: a", "name: b").substr(1)));
  ASSERT_EQ(store.pods(), (Names{"a", "b"}));
  store.read(list_of(item));
  EXPECT_EQ(store.pods(), Names{"a"});
  store.read(list_of(" []\n"));
  EXPECT_THAT(store.pods(), IsEmpty());
  EXPECT_THAT(store.problems(), IsEmpty());
  EXPECT_FALSE(store.may_ask_for("a"));
}

TEST(NormalEdit, a_broken_document_keeps_its_own_object_and_no_other) {
  const std::string broken_b = replaced(pod("b"), "emptyDir: {}", "emptyDir: 7");
  Store store;
  store.read(pod("a") + separator + pod("b") + separator + pod("c"));
  store.read(broken_b + separator + pod("c"));
  EXPECT_EQ(store.pods(), (Names{"b", "c"}));
  EXPECT_THAT(store.problems(), SizeIs(1));
  store.read(pod("c"));
  EXPECT_EQ(store.pods(), Names{"c"});
  EXPECT_THAT(store.problems(), IsEmpty());
}

TEST(NormalEdit, a_last_document_whose_mistake_is_no_cut_keeps_its_own_object_and_no_other) {
  for (const std::string& mistake : std::vector<std::string>{
           replaced(pod("b"), "mountPath: /data", "mountPath: [/data]"),
           replaced(pod("b"), "  volumes:\n", "    securityContext: {privileged: 7}\n  volumes:\n"),
           std::string("apiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: nonsense\n")}) {
    Store store;
    store.read(pod("a") + separator + pod("b"));
    store.read(mistake);
    EXPECT_EQ(store.pods(), Names{"b"}) << mistake << testing::PrintToString(store.problems());
  }
}

TEST(NormalEdit, a_document_that_never_was_good_does_not_hold_the_others) {
  const std::string broken_b = replaced(pod("b"), "emptyDir: {}", "emptyDir: 7");
  Store store;
  store.read(broken_b + separator + pod("a") + separator + pod("c"));
  EXPECT_TRUE(store.may_ask_for("b"));
  EXPECT_FALSE(store.may_ask_for("x"));
  store.read(broken_b + separator + pod("c"));
  EXPECT_EQ(store.pods(), Names{"c"});
}

TEST(NormalEdit, other_kinds_hold_nothing) {
  Store store;
  store.read(pod("a") + separator + pod("b"));
  store.read(
      pod("a") + separator +
      "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\napiVersion: example.com/v1\nkind: Pods\n"
      "---\napiVersion: batch.volcano.sh/v1alpha1\nkind: Job\nmetadata: {name: j}\n");
  EXPECT_EQ(store.pods(), Names{"a"});
  EXPECT_THAT(store.problems(), IsEmpty());
}

TEST(NormalEdit, comments_alone_are_silent_and_a_file_that_came_to_be_that_is_removed_by_deleting_it) {
  ObjectStore store;
  store.apply(manifest::parse_file("# later\n", "f.yaml"));
  EXPECT_THAT(store.problems(), IsEmpty());
  EXPECT_FALSE(store.may_ask_for(key_of("a")));
  store.apply(manifest::parse_file(pod("a"), "f.yaml"));
  store.apply(manifest::parse_file("# later\n", "f.yaml"));
  EXPECT_EQ(pods_of(store), Names{"a"});
  EXPECT_THAT(store.problems(), Contains(AllOf(HasSubstr("only comments"), HasSubstr("delete the file"))));
  store.remove("f.yaml");
  EXPECT_THAT(pods_of(store), IsEmpty());
  EXPECT_THAT(store.problems(), IsEmpty());
}

}  // namespace
}  // namespace mooring
