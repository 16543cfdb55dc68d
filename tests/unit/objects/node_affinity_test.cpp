// kubelet-behaviours 5.4 step 2: which nodes a PersistentVolume is for.

#include "objects/node_affinity.h"

#include <gtest/gtest.h>

namespace mooring {
namespace {

using manifest::NodeAffinity;
using manifest::NodeSelectorTerm;
using manifest::SelectorRequirement;

const std::map<std::string, std::string> labels{
    {"zone", "a"}, {"size", "10"}, {"below", "-3"}, {"empty", ""}, {"word", "ten"}};

bool fits(std::vector<NodeSelectorTerm> terms) {
  return fits_node(NodeAffinity{std::move(terms)}, NodeName("n1"), labels);
}
bool fits(const SelectorRequirement& expression) {
  return fits({NodeSelectorTerm{{expression}, {}}});
}

TEST(NodeAffinity, kb_5_4_each_operator) {
  struct Case {
    SelectorRequirement requirement;
    bool is_met;
  };
  const std::vector<Case> cases{
      {{"zone", "In", {"b", "a"}}, true},    {{"zone", "In", {"b"}}, false},
      {{"none", "In", {"a", ""}}, false},    {{"empty", "In", {""}}, true},
      {{"zone", "NotIn", {"b"}}, true},      {{"zone", "NotIn", {"b", "a"}}, false},
      {{"none", "NotIn", {"a"}}, true},      {{"zone", "Exists", {}}, true},
      {{"empty", "Exists", {}}, true},       {{"none", "Exists", {}}, false},
      {{"zone", "DoesNotExist", {}}, false}, {{"none", "DoesNotExist", {}}, true},
      {{"size", "Gt", {"9"}}, true},         {{"size", "Gt", {"10"}}, false},
      {{"size", "Gt", {"+9"}}, true},        {{"below", "Gt", {"-4"}}, true},
      {{"size", "Lt", {"11"}}, true},        {{"size", "Lt", {"10"}}, false},
      {{"below", "Lt", {"-4"}}, false},      {{"none", "Lt", {"1"}}, false},
      {{"none", "Gt", {"1"}}, false},        {{"word", "Gt", {"1"}}, false},
      {{"size", "Gt", {"one"}}, false},      {{"size", "Gt", {"1", "2"}}, false},
      {{"size", "Gt", {}}, false},           {{"size", "Lt", {"+-99"}}, false},
      {{"size", "Lt", {"99 "}}, false},      {{"size", "Lt", {"99999999999999999999"}}, false},
      {{"zone", "Equals", {"a"}}, false},
  };
  for (const Case& each : cases) {
    const SelectorRequirement& requirement = each.requirement;
    EXPECT_EQ(fits(requirement), each.is_met) << requirement.key << " " << requirement.operation << " "
                                              << testing::PrintToString(requirement.values);
  }
}

TEST(NodeAffinity, kb_5_4_any_term_but_all_of_its_requirements) {
  const SelectorRequirement good{"zone", "Exists", {}};
  const SelectorRequirement bad{"none", "Exists", {}};
  const SelectorRequirement here{"metadata.name", "In", {"n1"}};
  const SelectorRequirement elsewhere{"metadata.name", "In", {"n2"}};
  EXPECT_TRUE(fits({{{bad}, {}}, {{good}, {}}}));
  EXPECT_FALSE(fits({{{good, bad}, {}}}));
  EXPECT_TRUE(fits({{{good}, {here}}}));
  EXPECT_FALSE(fits({{{good}, {elsewhere}}}));
  EXPECT_FALSE(fits({{{bad}, {here}}}));
  EXPECT_FALSE(fits(std::vector<NodeSelectorTerm>{}));
  EXPECT_FALSE(fits(std::vector<NodeSelectorTerm>(1))) << "a term of nothing is not a term of everything";
}

TEST(NodeAffinity, kb_5_4_a_field_is_the_nodes_name) {
  EXPECT_TRUE(fits({{{}, {{"metadata.name", "In", {"n1"}}}}}));
  EXPECT_FALSE(fits({{{}, {{"metadata.name", "NotIn", {"n1"}}}}}));
  EXPECT_TRUE(fits({{{}, {{"metadata.name", "NotIn", {"n2"}}}}}));
  EXPECT_FALSE(fits({{{}, {{"metadata.namespace", "NotIn", {"n2"}}}}}));
}

}  // namespace
}  // namespace mooring
